import type { Answer, InstanceChange, InstancePage, RouteChoice } from '$lib/backend/backend';

/** What the form holds: answers by `check/param`, the rest as it is sent. */
export interface ChangeDraft {
  name: string;
  label: string;
  owner: string;
  route: RouteChoice;
  answers: Record<string, string>;
}

const key = (answer: { check: string; param: string }): string => `${answer.check}/${answer.param}`;

/** The form before anything is changed. */
export function startOf(page: InstancePage): ChangeDraft {
  return {
    name: page.instance.name,
    label: page.instance.label,
    owner: page.instance.owner,
    route: { ...page.route },
    answers: Object.fromEntries(page.answers.map((answer) => [key(answer), answer.value])),
  };
}

/** Whether an answer is a threshold with a value of its own, and not one of the application's questions. */
export function isThreshold(page: InstancePage, answer: Answer): boolean {
  return !page.application.questions.some((question) => key(question) === key(answer));
}

/** What is sent: every answer that stands, each under the check and parameter it came with. */
export function changeOf(page: InstancePage, draft: ChangeDraft): InstanceChange {
  const asked = new Map([...page.application.questions, ...page.answers].map((one) => [key(one), { check: one.check, param: one.param }]));
  const answers: Answer[] = [];
  for (const [name, { check, param }] of asked) {
    const value = (draft.answers[name] ?? '').trim();
    if (value !== '') answers.push({ check, param, value });
  }
  return { name: draft.name.trim(), label: draft.label, owner: draft.owner.trim(), route: { ...draft.route }, answers };
}

/** Whether saving would change anything. */
export function differs(page: InstancePage, draft: ChangeDraft): boolean {
  return JSON.stringify(changeOf(page, draft)) !== JSON.stringify(changeOf(page, startOf(page)));
}

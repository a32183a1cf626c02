import type { Answer, InstanceChange, InstancePage, RouteChoice, ScheduleChoice } from '$lib/backend/backend';
import { sameChoice } from '../Schedule/schedule';

/** What the form holds: answers by `check/param`, the rest as it is sent. */
export interface ChangeDraft {
  name: string;
  label: string;
  owner: string;
  schedule: ScheduleChoice;
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
    schedule: page.instance.schedule,
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
  return { name: draft.name.trim(), label: draft.label, owner: draft.owner.trim(), schedule: draft.schedule, route: { ...draft.route }, answers };
}

/** Whether saving would change anything. */
export function differs(page: InstancePage, draft: ChangeDraft): boolean {
  const written = (one: ChangeDraft) => JSON.stringify({ ...changeOf(page, one), schedule: null });
  return written(draft) !== written(startOf(page)) || !sameChoice(draft.schedule, page.instance.schedule);
}

/** What a toast may take back: whose it is and when it is scanned. */
export type Undoable = Pick<InstanceChange, 'name' | 'label' | 'owner' | 'schedule'>;

/** What was there before, if any of it was changed. */
export function undoOf(before: InstancePage, change: InstanceChange): Undoable | null {
  const { name, label, owner, schedule } = before.instance;
  const same = name === change.name && label === change.label && owner === change.owner && sameChoice(schedule, change.schedule);
  return same ? null : { name, label, owner, schedule };
}

/** The change that takes back what a toast may, and leaves the rest as it is now. */
export function undoing(now: InstancePage, undo: Undoable): InstanceChange {
  return { ...changeOf(now, startOf(now)), ...undo };
}

/** Fields of the dialog that the console may speak of, by the word it uses. */
export type Wrong = 'name' | 'owner' | 'schedule' | 'proxy_url' | 'extra_roots_pem' | `answer:${string}`;

/** The field that a failure speaks of; `null` when it is none of this dialog. */
export function fieldOf(page: InstancePage, field: string | null): Wrong | null {
  if (field === null) return null;
  if (field === 'pattern' || field === 'schedule') return 'schedule';
  if (field === 'name' || field === 'owner' || field === 'proxy_url' || field === 'extra_roots_pem') return field;
  // A threshold or an answer is told by its check and parameter, with a dot between them.
  const asked = [...page.application.questions, ...page.answers].find((one) => field === `${one.check}.${one.param}` || field === key(one));
  return asked ? `answer:${key(asked)}` : null;
}

import type { Answer, Question } from '$lib/backend/backend';

/** Answers as a form holds them, by `check/param`. */
export type Answers = Record<string, string>;

/** One thing that is asked, for every check that wants to know it. */
export interface Asked {
  /** The question as each check asks it, also those that the login option does not reach: one answer is kept for all. */
  all: Question[];
  /** Those that the login option reaches; the first of them gives the words. */
  reached: [Question, ...Question[]];
}

/** Where an answer is kept. */
export const keyOf = (asked: { check: string; param: string }): string => `${asked.check}/${asked.param}`;

/**
 * What is asked with a login option, each thing once. Checks ask for the same thing when parameter, label and type are the
 * same; where they were given different answers before, each keeps its own field.
 */
export function askedWith(questions: Question[], login: string, answers: Answers): Asked[] {
  const groups = new Map<string, Question[]>();
  for (const question of questions) {
    const same = JSON.stringify([question.param, question.label, question.type, answers[keyOf(question)] ?? '']);
    groups.set(same, [...(groups.get(same) ?? []), question]);
  }
  return [...groups.values()].flatMap((all) => {
    const [first, ...others] = all.filter(({ logins }) => logins.includes(login));
    return first ? [{ all, reached: [first, ...others] }] : [];
  });
}

/** Answers that were given, as they are sent: to the checks that the login option reaches. */
export function given(questions: Question[], login: string, answers: Answers): Answer[] {
  return questions.flatMap((question) => {
    const value = (answers[keyOf(question)] ?? '').trim();
    return value === '' || !question.logins.includes(login) ? [] : [{ check: question.check, param: question.param, value }];
  });
}

/** “A” stays, “A” and “B” stay: what is left open without an answer. */
export function leftOpen({ reached }: Asked): string {
  const titles = [...new Set(reached.map(({ title }) => `“${title}”`))];
  const last = titles.pop() ?? '';
  return titles.length === 0 ? `Without it ${last} stays Not evaluated.` : `Without it ${titles.join(', ')} and ${last} stay Not evaluated.`;
}

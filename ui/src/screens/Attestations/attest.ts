import type { AttestationAnswer, FieldState, FileToAttach, ManualCheck, NewAttestation } from '$lib/backend/backend';
import { LONGEST_NOTE } from './manual-checks';

/** What is being typed into *Attest*. */
export interface AttestForm {
  answer: AttestationAnswer | '';
  who: string;
  note: string;
  validUntil: string;
  remindDays: string;
}

/** An empty form: the day and the reminder are the check's own. Nothing of an earlier attestation is taken over: it has to be seen anew, and by whoever signs. */
export function emptyForm(check: ManualCheck): AttestForm {
  return { answer: '', who: '', note: '', validUntil: check.valid_until_default, remindDays: String(check.remind_days_default) };
}

/** Days before the end that can be chosen; a check's own number is among them. */
export function reminders(check: ManualCheck): { value: string; label: string }[] {
  const days = [...new Set([0, 7, 14, 30, 60, 90, check.remind_days_default])].sort((a, b) => a - b);
  return days.map((many) => ({ value: String(many), label: many === 0 ? 'On the last day' : `${many} days before` }));
}

/** What is wrong with the form, by field; nothing when it can be sent. `today` is `2026-11-21`. */
export function faults(form: AttestForm, check: ManualCheck, today: string): Partial<Record<keyof AttestForm, string>> {
  const found: Partial<Record<keyof AttestForm, string>> = {};
  if (form.answer === '') found.answer = 'Choose an answer.';
  const note = form.note.trim();
  if (note === '') found.note = 'Write what you saw and where, such as “Required for all users, seen under Security”.';
  else if (Array.from(note).length > LONGEST_NOTE) found.note = `A note has at most ${LONGEST_NOTE} characters; this has ${Array.from(note).length}.`;
  if (Array.from(form.who.trim()).length > 80) found.who = 'A name has at most 80 characters.';
  if (!/^\d{4}-\d{2}-\d{2}$/.test(form.validUntil) || Number.isNaN(Date.parse(form.validUntil))) found.validUntil = 'Choose a day, such as 2027-11-21.';
  else if (form.validUntil < today) found.validUntil = 'This day is past.';
  else if (form.validUntil > check.valid_until_latest) found.validUntil = `At most three years: until ${check.valid_until_latest}.`;
  return found;
}

/** The state of a field with this fault. */
export function stateOf(fault: string | undefined): FieldState {
  return fault === undefined ? { kind: 'empty' } : { kind: 'wrong', sentence: fault };
}

/** The form as it is sent. */
export function attestation(form: AttestForm & { answer: AttestationAnswer }, check: ManualCheck): NewAttestation {
  return {
    instance: check.instance,
    check: check.check,
    answer: form.answer,
    who: form.who.trim(),
    note: form.note.trim(),
    valid_until: form.validUntil,
    remind_days: Number(form.remindDays),
  };
}

/** The console's names of the fields that it may find fault with. */
export const fieldNames: Record<string, keyof AttestForm> = {
  answer: 'answer',
  who: 'who',
  note: 'note',
  valid_until: 'validUntil',
  remind_days: 'remindDays',
};

/** A file as it is sent. */
export function toAttach(file: File): Promise<FileToAttach> {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => {
      // `data:application/pdf;base64,JVBERi0…`
      const [, content = ''] = (typeof reader.result === 'string' ? reader.result : '').split(',', 2);
      done({ name: file.name, media_type: file.type, content });
    };
    reader.onerror = () =>
      // Every rejection that a screen shows is a `Failure`.
      failed({ code: 'E-FILE-READ', sentence: `${file.name} could not be read.`, remedy: 'Choose it again. Nothing was stored.', field: 'file' });
    reader.readAsDataURL(file);
  });
}

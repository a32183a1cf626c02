/** When a credential ends, in words; one place, so that the list, the page and the toast say the same. */
import type { CredentialEnd } from '$lib/backend/backend';
import { counted } from '$lib/format';

/** "the certificate", or "the credential". */
const what = (end: CredentialEnd): string => (end.by === 'certificate' ? 'certificate' : 'credential');

/** "Credential ends in 12 days", for a row. */
export function endsIn(end: CredentialEnd): string {
  const name = what(end) === 'certificate' ? 'Certificate' : 'Credential';
  return end.days_left === 0 ? `${name} has ended` : `${name} ends in ${counted(end.days_left, 'day')}`;
}

/** Who says so, after the time: "as GitLab tells". Nobody does of what ends unused. */
export function saysWho(end: CredentialEnd, appName: string): string {
  if (end.by === 'unused') return end.days_left === 0 ? 'unless it was used elsewhere' : 'unless it is used before';
  if (end.by === 'certificate') return '';
  return end.days_left === 0 ? `as ${appName} told` : `as ${appName} tells`;
}

/** What to do about one that ends soon or has ended. */
export function whatToDo(end: CredentialEnd): string {
  if (end.by === 'unused' && end.days_left > 0) return 'Scan the instance, which uses it, or reauthenticate.';
  return `Reauthenticate with a new ${what(end)}: without one, nothing can be read.`;
}

/** "Halden Moor: the credential ends in 7 days.", for a toast. */
export function endingWords(name: string, end: CredentialEnd): string {
  return `${name}: the ${what(end)} ends in ${counted(end.days_left, 'day')}.`;
}

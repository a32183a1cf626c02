/** The words and marks of what controls and checks came to. None of them says that a control is complied with. */
import CalendarClock from '@lucide/svelte/icons/calendar-clock';
import CircleCheck from '@lucide/svelte/icons/circle-check';
import CircleDashed from '@lucide/svelte/icons/circle-dashed';
import CircleMinus from '@lucide/svelte/icons/circle-minus';
import CircleX from '@lucide/svelte/icons/circle-x';
import EyeOff from '@lucide/svelte/icons/eye-off';
import Signature from '@lucide/svelte/icons/signature';
import type { CheckOutcome, OutcomeCounts, RuleStatus, SandboxScope, StatusCounts } from '$lib/backend/backend';
import type { Icon } from '$lib/components/names';

/** A status of a control or an outcome of a check. */
export interface Standing<Id extends string> {
  id: Id;
  name: string;
  icon: Icon;
  sentence: string;
}

/** What a control came to, worst first. */
export const statuses: Standing<RuleStatus & keyof StatusCounts>[] = [
  { id: 'failed', name: 'Failed', icon: CircleX, sentence: 'At least one check of it failed somewhere.' },
  { id: 'not_evaluated', name: 'Not evaluated', icon: CircleDashed, sentence: 'Nothing failed that was read, but something was not read or attested.' },
  { id: 'passed', name: 'Passed', icon: CircleCheck, sentence: 'Every check of it passed, does not apply or is attested. Checks cover a part of it.' },
  { id: 'attested', name: 'Attested', icon: Signature, sentence: 'A person attested all of it; nothing of it is scanned.' },
  { id: 'not_applicable', name: 'Not applicable', icon: CircleMinus, sentence: 'No check of it applies to what is there.' },
  { id: 'not_covered', name: 'Not covered', icon: EyeOff, sentence: 'No check of your instances names it: this console does not look at it.' },
];

/** What a check came to on an instance, worst first. */
export const outcomes: Standing<CheckOutcome & keyof OutcomeCounts>[] = [
  { id: 'failed', name: 'Failed', icon: CircleX, sentence: 'It failed, or a finding of it is open.' },
  { id: 'not_evaluated', name: 'Not evaluated', icon: CircleDashed, sentence: 'Something that it rests on was not read.' },
  { id: 'due', name: 'To be attested', icon: CalendarClock, sentence: 'Only a person can tell, and nobody has, or no longer.' },
  { id: 'passed', name: 'Passed', icon: CircleCheck, sentence: 'Everything that it applies to passed.' },
  { id: 'attested', name: 'Attested', icon: Signature, sentence: 'A person attested it; it was not scanned.' },
  { id: 'not_applicable', name: 'Not applicable', icon: CircleMinus, sentence: 'It applies to nothing that is there.' },
];

/** The scope that an address asks for. */
export function scopeOf(query: URLSearchParams): SandboxScope {
  return query.get('sandbox') === 'only' ? 'only' : 'without';
}

/** The words of a list in an address that are among the known ones. */
export function chosen<Id extends string>(query: URLSearchParams, name: string, known: readonly Standing<Id>[]): Id[] {
  const asked = (query.get(name) ?? '').split(',');
  return known.map(({ id }) => id).filter((id) => asked.includes(id));
}

/** The same address with one word of a list chosen or not any more. */
export function toggledIn(query: URLSearchParams, name: string, id: string): URLSearchParams {
  const asked = (query.get(name) ?? '').split(',').filter((word) => word !== '');
  const next = asked.includes(id) ? asked.filter((word) => word !== id) : [...asked, id];
  const result = new URLSearchParams(query);
  if (next.length === 0) result.delete(name);
  else result.set(name, next.join(','));
  return result;
}

/** What of an address goes along to another page of the same kind. */
export function kept(query: URLSearchParams, more: Record<string, string> = {}): Record<string, string> {
  return query.get('sandbox') === 'only' ? { sandbox: 'only', ...more } : more;
}

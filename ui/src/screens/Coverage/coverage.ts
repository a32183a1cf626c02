import CircleCheck from '@lucide/svelte/icons/circle-check';
import CircleDashed from '@lucide/svelte/icons/circle-dashed';
import KeyRound from '@lucide/svelte/icons/key-round';
import Signature from '@lucide/svelte/icons/signature';
import type { ControlCoverage, CoverageState } from '$lib/backend/backend';
import type { Icon } from '$lib/components';

/** The states of a control, what is known best first: icon, name and what it means. */
export const coverageStates: { id: CoverageState; icon: Icon; name: string; sentence: string }[] = [
  { id: 'checked', icon: CircleCheck, name: 'Checked', sentence: 'A check reads it from the application.' },
  { id: 'attested', icon: Signature, name: 'Attested', sentence: 'A person looks and attests it; nothing is read.' },
  { id: 'login_lacks', icon: KeyRound, name: 'Login lacks', sentence: 'There are checks, and the login option does not reach what they rest on.' },
  { id: 'not_covered', icon: CircleDashed, name: 'Not covered', sentence: 'Nothing looks at it.' },
];

/** Reads the states of an address; unknown ones are none. */
export function readStates(query: URLSearchParams): CoverageState[] {
  const asked = (query.get('state') ?? '').split(',');
  return coverageStates.map(({ id }) => id).filter((id) => asked.includes(id));
}

/** The controls in one of these states, or all, by domain and in the order they came. */
export function byDomain(controls: ControlCoverage[], states: CoverageState[]): { domain: string; controls: ControlCoverage[] }[] {
  const domains: { domain: string; controls: ControlCoverage[] }[] = [];
  for (const control of controls.filter(({ state }) => states.length === 0 || states.includes(state))) {
    const last = domains.at(-1);
    if (last?.domain === control.domain) last.controls.push(control);
    else domains.push({ domain: control.domain, controls: [control] });
  }
  return domains;
}

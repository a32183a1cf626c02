/** Frameworks whose controls checks name, as filters and screens name them. */
export const frameworks = [
  { id: 'sscf', name: 'SSCF' },
  { id: 'nist_800_53', name: 'NIST 800-53' },
  { id: 'cis_v8', name: 'CIS Controls v8' },
  { id: 'soc2', name: 'SOC 2' },
  { id: 'iso_27001', name: 'ISO 27001' },
  { id: 'cis_github', name: 'CIS GitHub' },
] as const;

/** `nist_800_53/IA-2` as a person reads it: "NIST 800-53 IA-2"; a framework that is not known here keeps its id. */
export function controlName(control: string): string {
  const at = control.indexOf('/');
  const id = at < 0 ? control : control.slice(0, at);
  const name = frameworks.find((one) => one.id === id)?.name ?? id;
  return at < 0 ? name : `${name} ${control.slice(at + 1)}`;
}

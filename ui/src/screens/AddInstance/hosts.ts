import type { Login } from '$lib/backend/backend';

/**
 * The hosts that may receive the values, with what is typed so far put in. A template whose optional field is empty is not
 * used and left out; one that waits for a required field shows the field's name; one whose choice is left to the vendor's
 * answer stands for every host that is tried.
 */
export function hostsOf(login: Login, values: Record<string, string>): string[] {
  const hosts: string[] = [];
  const { discover } = login;
  const open = discover !== null && values[discover.field] === discover.open ? discover : null;
  const tried = login.hosts.flatMap((template) =>
    open && template.includes(`{${open.field}}`) ? open.tries.map((value) => ({ template, values: { ...values, [open.field]: value } })) : [{ template, values }],
  );
  for (const { template, values: given } of tried) {
    let unused = false;
    const host = template.replaceAll(/\{([^}]+)\}/g, (_whole, id: string) => {
      const field = login.fields.find((candidate) => candidate.id === id);
      const value = given[id] ?? '';
      if (value === '') {
        unused ||= field?.optional === true;
        return `‹${field?.label ?? id}›`;
      }
      return field?.choices.find((choice) => choice.value === value)?.host ?? value;
    });
    if (!unused && !hosts.includes(host)) hosts.push(host);
  }
  return hosts;
}

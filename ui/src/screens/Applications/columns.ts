import type { Instance } from '$lib/backend/backend';
import { healthName } from '$lib/components/names';
import type { Column, SortValue } from '$lib/table';

/** Columns of the onboarded instances. */
export const columns: Column[] = [
  { id: 'name', title: 'Application and instance', width: 204, min: 176, grow: 1.2, fixed: true, sort: 'ascending' },
  { id: 'label', title: 'Label', width: 100, sort: 'ascending', from: 720 },
  { id: 'owner', title: 'Owner', width: 92, sort: 'ascending', from: 860 },
  { id: 'health', title: 'Health', width: 184, min: 132, grow: 1, sort: 'descending' },
  { id: 'score', title: 'Score', width: 96, sort: 'ascending' },
  { id: 'findings', title: 'Open findings', width: 184, sort: 'descending', from: 620 },
  { id: 'last_scan', title: 'Last scan', width: 108, sort: 'descending', from: 480 },
];

const healths = ['manual', 'up', 'scanning', 'unknown', 'unhealthy', 'down'];

/** What a column is sorted by. */
export function valueOf(instance: Instance, column: string): SortValue {
  switch (column) {
    case 'name':
      return `${instance.app_name} ${instance.name}`;
    case 'label':
      return instance.label;
    case 'owner':
      return instance.owner === '' ? null : instance.owner;
    case 'health':
      return healths.indexOf(instance.health);
    case 'score':
      return instance.score?.value ?? null;
    case 'findings': {
      // Worst first: a thousand of one severity never outweigh one of the next.
      const { critical, high, medium, low, info } = instance.open;
      return [critical, high, medium, low, info].reduce((sum, value) => sum * 1000 + Math.min(value, 999), 0);
    }
    case 'last_scan':
      return instance.last_scan === null ? null : Date.parse(instance.last_scan);
    default:
      return null;
  }
}

/** What the instances are narrowed down to. */
export interface InstanceFilter {
  text: string;
  health: readonly string[];
  label: readonly string[];
  owner: readonly string[];
  severity: readonly string[];
}

/** Whether an instance fulfils a filter. */
export function fits(instance: Instance, filter: InstanceFilter): boolean {
  const hay = [instance.app_name, instance.name, instance.owner, instance.label, healthName(instance.health)].join('\n').toLowerCase();
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  const any = (chosen: readonly string[], value: string): boolean => chosen.length === 0 || chosen.includes(value);
  return (
    words.every((word) => hay.includes(word)) &&
    any(filter.health, instance.health) &&
    any(filter.label, instance.sandbox ? 'sandbox' : instance.label) &&
    any(filter.owner, instance.owner) &&
    (filter.severity.length === 0 || filter.severity.some((severity) => instance.open[severity as keyof Instance['open']] > 0))
  );
}

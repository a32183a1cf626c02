import type { Instance } from '$lib/backend/backend';
import type { Column, SortValue } from '$lib/table';

/** Columns of the onboarded instances. */
export const columns: Column[] = [
  { id: 'name', title: 'Application and instance', width: 204, min: 176, grow: 1.2, fixed: true, sort: 'ascending' },
  { id: 'label', title: 'Label', width: 100, sort: 'ascending', from: 900 },
  { id: 'owner', title: 'Owner', width: 92, sort: 'ascending', from: 880 },
  { id: 'health', title: 'Health', width: 184, min: 132, grow: 1, sort: 'descending' },
  { id: 'score', title: 'Score', width: 96, sort: 'ascending' },
  { id: 'findings', title: 'Open findings', width: 184, sort: 'descending', from: 620 },
  { id: 'last_scan', title: 'Last scan', width: 108, sort: 'descending', from: 480 },
  { id: 'next_scan', title: 'Next scan', width: 96, sort: 'ascending', from: 790 },
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
    case 'next_scan':
      return instance.next_scan === null ? null : Date.parse(instance.next_scan);
    default:
      return null;
  }
}

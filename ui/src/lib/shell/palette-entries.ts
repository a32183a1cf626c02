import type { Finding, Instance, Tile } from '$lib/backend/backend';
import type { Shortcut } from '$lib/keyboard/shortcuts.svelte';
import { href } from '$lib/router/address';
import type { Page } from './pages';

/** Something Ctrl K can go to or do. */
export interface Entry {
  id: string;
  kind: 'Page' | 'Instance' | 'Finding' | 'Application' | 'Command';
  label: string;
  detail: string;
  keys?: string;
  /** An address, or an act. */
  to?: string;
  run?: () => void;
}

/** How well an entry answers what was typed: every word must be in it; the beginning of the label counts most. 0 is not at all. */
export function rank(entry: Entry, typed: string): number {
  const text = `${entry.label} ${entry.detail}`.toLowerCase();
  const words = typed.toLowerCase().split(/\s+/).filter((word) => word !== '');
  if (!words.every((word) => text.includes(word))) return 0;
  const label = entry.label.toLowerCase();
  const [first = ''] = words;
  return label.startsWith(first) ? 3 : label.includes(first) ? 2 : 1;
}

/** Pages that are no entry of the sidebar: they belong to one that is. */
const beside: Entry[] = [
  { id: 'page-attestations', kind: 'Page', label: 'Attestations due', detail: 'Manual checks of all instances', to: href(['attestations']) },
  { id: 'page-azure-ad-client', kind: 'Page', label: 'Register an Azure AD client application', detail: 'Guide, Microsoft Entra ID', to: href(['guides', 'azure-ad-client']) },
];

/** All that can be reached, in the order of an empty search. */
export function entries(known: { pages: Page[]; instances: Instance[]; tiles: Tile[]; findings: Finding[]; commands: Shortcut[] }): Entry[] {
  return [
    ...known.pages.map((page, index): Entry => ({ id: `page-${page.id}`, kind: 'Page', label: page.label, detail: '', keys: `mod+${index + 1}`, to: href([page.id]) })),
    ...beside,
    ...known.commands.map((command): Entry => ({ id: `command-${command.keys}`, kind: 'Command', label: command.name, detail: '', keys: command.keys, run: command.run })),
    ...known.instances.map((instance): Entry => ({
      id: `instance-${instance.id}`,
      kind: 'Instance',
      label: instance.name,
      detail: instance.sandbox ? `${instance.app_name}, sandbox` : instance.app_name,
      to: href(['applications', instance.id]),
    })),
    ...known.tiles.map((tile): Entry => ({ id: `tile-${tile.slug}`, kind: 'Application', label: `Add ${tile.name}`, detail: tile.vendor, to: href(['add-application', tile.slug]) })),
    ...known.findings.map((finding): Entry => ({
      id: `finding-${finding.id}`,
      kind: 'Finding',
      label: finding.title,
      detail: [finding.resource, finding.app_name, finding.instance_name].filter((part) => part !== '').join(', '),
      to: href(['findings'], { finding: finding.id }),
    })),
  ];
}

/** The best answers to what was typed, at most `most`; before anything is typed, what has keys of its own. */
export function answers(all: Entry[], typed: string, most = 50): Entry[] {
  return all
    .map((entry, index) => ({ entry, index, rank: rank(entry, typed) }))
    .filter((scored) => scored.rank > 0 && (typed.trim() !== '' || scored.entry.keys !== undefined))
    .sort((a, b) => b.rank - a.rank || a.index - b.index)
    .slice(0, most)
    .map(({ entry }) => entry);
}

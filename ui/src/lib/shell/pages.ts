import AppWindow from '@lucide/svelte/icons/app-window';
import ClipboardCheck from '@lucide/svelte/icons/clipboard-check';
import History from '@lucide/svelte/icons/history';
import Fingerprint from '@lucide/svelte/icons/fingerprint';
import LayoutDashboard from '@lucide/svelte/icons/layout-dashboard';
import Plus from '@lucide/svelte/icons/plus';
import Puzzle from '@lucide/svelte/icons/puzzle';
import ScrollText from '@lucide/svelte/icons/scroll-text';
import Settings from '@lucide/svelte/icons/settings';
import ShieldAlert from '@lucide/svelte/icons/shield-alert';
import SlidersHorizontal from '@lucide/svelte/icons/sliders-horizontal';
import type { Icon } from '$lib/components/names';

/** An entry of the sidebar; only what exists is one. */
export interface Page {
  id: string;
  label: string;
  icon: Icon;
  /** Indented under the entry before it. */
  under?: boolean;
  count?: 'instances' | 'findings' | 'changes';
}

/** The sidebar, group by group, in the order of Ctrl 1 to 9. */
export const groups: { label: string; pages: Page[] }[] = [
  { label: '', pages: [{ id: 'overview', label: 'Overview', icon: LayoutDashboard }] },
  {
    label: 'Posture Security',
    pages: [
      { id: 'applications', label: 'Applications', icon: AppWindow, count: 'instances' },
      { id: 'add-application', label: 'Add Application', icon: Plus, under: true },
      { id: 'security-configurations', label: 'Security Configurations', icon: SlidersHorizontal },
      { id: 'findings', label: 'Findings', icon: ShieldAlert, count: 'findings' },
      { id: 'changes', label: 'Changes', icon: History, count: 'changes' },
      { id: 'compliance', label: 'Compliance', icon: ClipboardCheck },
    ],
  },
  {
    label: 'Identity',
    pages: [
      { id: 'identities', label: 'Identities', icon: Fingerprint },
      { id: 'plugins', label: '3rd Party Plugins', icon: Puzzle },
    ],
  },
  {
    label: 'Console',
    pages: [
      { id: 'activity', label: 'Activity', icon: ScrollText },
      { id: 'settings', label: 'Settings', icon: Settings },
    ],
  },
];

export const pages: Page[] = groups.flatMap((group) => group.pages);

import BookOpen from '@lucide/svelte/icons/book-open';
import BadgeCheck from '@lucide/svelte/icons/badge-check';
import CircleCheck from '@lucide/svelte/icons/circle-check';
import CircleDashed from '@lucide/svelte/icons/circle-dashed';
import CircleMinus from '@lucide/svelte/icons/circle-minus';
import CircleX from '@lucide/svelte/icons/circle-x';
import Disc3 from '@lucide/svelte/icons/disc-3';
import Eye from '@lucide/svelte/icons/eye';
import Fingerprint from '@lucide/svelte/icons/fingerprint';
import KeyRound from '@lucide/svelte/icons/key-round';
import LoaderCircle from '@lucide/svelte/icons/loader-circle';
import OctagonX from '@lucide/svelte/icons/octagon-x';
import Puzzle from '@lucide/svelte/icons/puzzle';
import Signature from '@lucide/svelte/icons/signature';
import SlidersHorizontal from '@lucide/svelte/icons/sliders-horizontal';
import TriangleAlert from '@lucide/svelte/icons/triangle-alert';
import UserX from '@lucide/svelte/icons/user-x';
import type { Component } from 'svelte';
import type { Severity } from '$lib/backend/backend';

/** An icon of the one set the window uses. */
export type Icon = Component<{ size?: number | string; strokeWidth?: number | string; 'aria-hidden'?: 'true' }>;

/** Severities, worst first. */
export const severities: Severity[] = ['critical', 'high', 'medium', 'low', 'info'];

/** "Critical". */
export function severityName(severity: Severity): string {
  return { critical: 'Critical', high: 'High', medium: 'Medium', low: 'Low', info: 'Info' }[severity];
}

const verdicts: Record<string, string> = {
  pass: 'Pass',
  fail: 'Fail',
  not_applicable: 'Not applicable',
  not_evaluated: 'Not evaluated',
  manual: 'Manual',
  observed: 'Observed',
};

/** "Not evaluated". A verdict this window does not know is one that was not evaluated, never a pass. */
export function verdictName(verdict: string): string {
  return verdicts[verdict] ?? 'Not evaluated';
}

export const verdictIcons: Record<string, Icon> & { not_evaluated: Icon } = {
  pass: CircleCheck,
  fail: CircleX,
  not_applicable: CircleMinus,
  not_evaluated: CircleDashed,
  manual: Signature,
  observed: Eye,
};

const healths: Record<string, string> = {
  up: 'Up',
  ok: 'OK',
  unhealthy: 'Unhealthy',
  down: 'Down',
  auth_required: 'Auth required',
  unknown: 'Unknown',
  scanning: 'Scanning',
  manual: 'Manual',
};

/** "Auth required". */
export function healthName(health: string): string {
  return healths[health] ?? 'Unknown';
}

export const healthIcons: Record<string, Icon> & { unknown: Icon } = {
  up: CircleCheck,
  ok: CircleCheck,
  unhealthy: TriangleAlert,
  down: OctagonX,
  auth_required: KeyRound,
  unknown: CircleDashed,
  scanning: LoaderCircle,
  manual: Signature,
};

/** Kinds of scan: icon, the long name of filters and the short one of tiles. */
export const features: { id: string; icon: Icon; name: string; short: string }[] = [
  { id: 'config', icon: SlidersHorizontal, name: 'Config Scan', short: 'Config' },
  { id: 'risky_accounts', icon: UserX, name: 'Risky Account Scan', short: 'Accounts' },
  { id: 'third_party_plugins', icon: Puzzle, name: '3rd Party Plugins Scan', short: 'Plugins' },
  { id: 'identity', icon: Fingerprint, name: 'Identity', short: 'Identity' },
];

/** What connectors were verified against: icon, name, a few words that follow “verified by”, and the sentence that says what it means. */
export const verifications: { id: string; icon: Icon; name: string; sentence: string; explained: string }[] = [
  { id: 'contract', icon: BadgeCheck, name: 'Contract', sentence: 'the vendor’s API description', explained: 'Verified against the vendor’s API description: what is asked for and what is read stands there.' },
  { id: 'recorded', icon: Disc3, name: 'Recorded', sentence: 'recorded vendor answers', explained: 'Verified against answers that were recorded from the real service.' },
  { id: 'facts', icon: BookOpen, name: 'Facts', sentence: 'gathered facts, not confirmed by the vendor', explained: 'Built from what the vendor’s pages and programs say. No description by the vendor and no live account confirmed it.' },
  { id: 'manual', icon: Signature, name: 'Manual', sentence: 'you attest, nothing is read', explained: 'Nothing is read: a person looks at the settings and attests them.' },
];

const categories: Record<string, string> = {
  identity: 'Identity',
  productivity: 'Productivity',
  collaboration: 'Collaboration',
  'customer-service': 'Customer service',
  marketing: 'Marketing',
  sales: 'Sales',
  'developer-tools': 'Developer tools',
  infrastructure: 'Infrastructure',
  data: 'Data and analytics',
  security: 'Security',
  'human-resources': 'Human resources',
  finance: 'Finance',
  design: 'Design',
  'project-management': 'Project management',
  learning: 'Learning',
  other: 'Other',
};

/** "Customer service"; a category that this window does not know is shown as it is written. */
export function categoryName(category: string): string {
  return categories[category] ?? category.replaceAll('-', ' ');
}

import type { ScannedMany } from '$lib/backend/backend';
import { counted } from '$lib/format';

/** What became of *Scan all*, in one line. */
export function scannedWords({ complete, failed, busy, cancelled }: ScannedMany): string {
  const parts = [
    failed > 0 ? `${failed} failed` : '',
    cancelled > 0 ? `${cancelled} cancelled` : '',
    busy > 0 ? `${busy} already being scanned by somebody else` : '',
  ].filter(Boolean);
  if (complete + failed + busy + cancelled === 0) return 'There was nothing to scan.';
  return `${complete === 0 ? 'No instance' : counted(complete, 'instance')} scanned${parts.length > 0 ? `, ${parts.join(', ')}` : ''}.`;
}

/** Who scans an instance when it is not this window, or an empty text. */
export function scannedElsewhere(jobs: readonly { instance: string; elsewhere: string | null }[], instance: string): string {
  return jobs.find((job) => job.instance === instance)?.elsewhere ?? '';
}

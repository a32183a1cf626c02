import type { Finding } from '$lib/backend/backend';
import { severityName } from '$lib/components/names';

/**
 * Rows as a spreadsheet takes them from the clipboard. A value that a vendor wrote may not become a formula there, so one
 * that begins like a formula is given a leading apostrophe, and none brings its own tabs and lines.
 */
export function copyText(rows: readonly Finding[]): string {
  const safe = (value: string): string => {
    const flat = value.replace(/[\t\r\n]+/g, ' ');
    return /^[=+\-@]/.test(flat) ? `'${flat}` : flat;
  };
  const head = ['Severity', 'Finding', 'Resource', 'Application', 'Instance', 'State', 'First found', 'Last found', 'Check', 'Sandbox', 'Attested'];
  const lines = rows.map((row) => [
    severityName(row.severity),
    row.title,
    row.resource,
    row.app_name,
    row.instance_name,
    row.state,
    row.first_seen,
    row.last_seen,
    row.check,
    row.sandbox ? 'yes' : 'no',
    row.attested ? 'yes' : 'no',
  ]);
  return [head, ...lines].map((line) => line.map(safe).join('\t')).join('\n');
}

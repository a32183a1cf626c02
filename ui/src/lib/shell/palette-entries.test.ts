import { describe, expect, it } from 'vitest';
import { answers, entries, rank, type Entry } from './palette-entries';
import { pages } from './pages';

const entry = (label: string, detail = '', kind: Entry['kind'] = 'Finding'): Entry => ({ id: label, kind, label, detail });

describe('Ctrl K', () => {
  it('asks for every word and puts beginnings first', () => {
    const all = [entry('Old API key', 'Kustomer'), entry('Kustomer', 'Halden Moor', 'Instance'), entry('Add Kustomer', '', 'Application')];
    expect(answers(all, 'kust').map(({ label }) => label)).toEqual(['Kustomer', 'Add Kustomer', 'Old API key']);
    expect(answers(all, 'key kust').map(({ label }) => label)).toEqual(['Old API key']);
    expect(rank(entry('Findings'), 'xyz')).toBe(0);
  });

  it('shows pages and commands before anything is typed', () => {
    const ran: string[] = [];
    const command = { keys: 'mod+l', name: 'Lock', group: 'Window', run: () => void ran.push('lock') };
    const shown = answers(entries({ pages, instances: [], tiles: [], findings: [], commands: [command] }), '');
    expect(shown.map(({ label }) => label)).toEqual([...pages.map(({ label }) => label), 'Lock']);
    shown.at(-1)?.run?.();
    expect(ran).toEqual(['lock']);
  });

  it('finds pages that are no entry of the sidebar', () => {
    const all = entries({ pages, instances: [], tiles: [], findings: [], commands: [] });
    expect(answers(all, 'attest').map(({ to }) => to)).toEqual(['#/attestations']);
    expect(answers(all, 'azure').map(({ to }) => to)).toEqual(['#/guides/azure-ad-client']);
  });
});

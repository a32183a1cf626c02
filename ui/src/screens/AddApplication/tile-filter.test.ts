import { describe, expect, it } from 'vitest';
import { tiles } from '$lib/backend/invented/applications';
import { filterTiles, readFilter, toggled, writeFilter, type TileFilter } from './tile-filter';

const none: TileFilter = { text: '', category: '', features: [], verified: [] };
const all = tiles([]);
const slugs = (filter: Partial<TileFilter>) => filterTiles(all, { ...none, ...filter }).map(({ slug }) => slug);

describe('the filter of tiles', () => {
  it.each<TileFilter>([
    none,
    { text: 'a & b, c', category: 'data', features: ['config', 'identity'], verified: ['manual'] },
    { text: ' ', category: '', features: [], verified: ['facts', 'recorded'] },
  ])('is the address: %j', (filter) => expect(readFilter(writeFilter(filter))).toEqual(filter));

  it('leaves the address alone when nothing filters', () => expect(writeFilter(none).toString()).toBe(''));

  it('finds by name, vendor and category, all words', () => {
    expect(slugs({ text: 'kusto' })).toEqual(['kustomer']);
    expect(slugs({ text: 'peaberry' })).toEqual(['customer-io']);
    expect(slugs({ text: 'customer LLC' })).toEqual(['kustomer']);
  });

  it('narrows by kinds of scan together and by verification alternatively', () => {
    for (const tile of filterTiles(all, { ...none, features: ['third_party_plugins', 'identity'] })) {
      expect(tile.features).toEqual(expect.arrayContaining(['third_party_plugins', 'identity']));
    }
    const verified = new Set(filterTiles(all, { ...none, verified: ['manual', 'facts'] }).map((tile) => tile.verified));
    expect([...verified].sort()).toEqual(['facts', 'manual']);
  });

  it('is by name and shows all when it is empty', () => {
    const names = filterTiles(all, none).map(({ name }) => name);
    expect(names).toHaveLength(all.length);
    expect(names).toEqual([...names].sort((a, b) => a.localeCompare(b)));
  });

  it('switches values', () => expect(toggled(toggled(['a'], 'b'), 'a')).toEqual(['b']));
});

import type { Tile } from '$lib/backend/backend';
import { categoryName } from '$lib/components/names';

/** Which tiles are shown; it is the query of the page's address. */
export interface TileFilter {
  text: string;
  category: string;
  features: string[];
  verified: string[];
}

/** Reads the filter of an address. */
export function readFilter(query: URLSearchParams): TileFilter {
  const list = (name: string) => (query.get(name) ?? '').split(',').filter((part) => part !== '');
  return { text: query.get('q') ?? '', category: query.get('category') ?? '', features: list('feature'), verified: list('verified') };
}

/** Writes an address that `readFilter` reads back; what does not filter is not in it. */
export function writeFilter(filter: TileFilter): URLSearchParams {
  const query = new URLSearchParams();
  if (filter.text !== '') query.set('q', filter.text);
  if (filter.category !== '') query.set('category', filter.category);
  if (filter.features.length > 0) query.set('feature', filter.features.join(','));
  if (filter.verified.length > 0) query.set('verified', filter.verified.join(','));
  return query;
}

/** The tiles that fulfil the filter, by name. `category` can be left out, to count what each would show. */
export function filterTiles(tiles: Tile[], filter: TileFilter, byCategory = true): Tile[] {
  const words = filter.text.toLowerCase().split(/\s+/).filter((word) => word !== '');
  return tiles
    .filter((tile) => {
      const text = `${tile.name} ${tile.vendor} ${categoryName(tile.category)}`.toLowerCase();
      return (
        words.every((word) => text.includes(word)) &&
        (!byCategory || filter.category === '' || tile.category === filter.category) &&
        filter.features.every((feature) => tile.features.includes(feature)) &&
        (filter.verified.length === 0 || filter.verified.includes(tile.verified))
      );
    })
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** The list with the value in it, or without it when it was. */
export function toggled(list: string[], value: string): string[] {
  return list.includes(value) ? list.filter((other) => other !== value) : [...list, value];
}

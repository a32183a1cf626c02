import { describe, expect, it } from 'vitest';
import { clamp, HEADER, press, START, type Abilities, type Position, type Stroke } from './keyboard';

const bounds = { rows: 94, columns: 4, page: 10 };
const abilities: Abilities = { selectable: true, letters: true };
const at = (row: number, column = 0, anchor = Math.max(0, row)): Position => ({ row, column, anchor });
const key = (name: string, mods: Partial<Stroke> = {}): Stroke => ({ key: name, shift: false, ctrl: false, alt: false, ...mods });

describe('moving', () => {
  it.each([
    ['ArrowDown', at(3), 4, 0],
    ['ArrowUp', at(3), 2, 0],
    ['ArrowDown', at(93), 93, 0],
    ['ArrowUp', at(0), HEADER, 0],
    ['ArrowDown', at(HEADER), 0, 0],
    ['ArrowUp', at(HEADER), HEADER, 0],
    ['PageDown', at(3), 12, 0],
    ['PageUp', at(12), 3, 0],
    ['PageUp', at(3), 0, 0],
    ['PageDown', at(90), 93, 0],
    ['Home', at(50), 0, 0],
    ['End', at(50), 93, 0],
    ['ArrowRight', at(3, 1), 3, 2],
    ['ArrowRight', at(3, 3), 3, 3],
    ['ArrowLeft', at(3, 0), 3, 0],
    ['j', at(3), 4, 0],
    ['k', at(3), 2, 0],
    ['k', at(0), 0, 0],
  ])('%s from %o leads to row %i, column %i', (name, from, row, column) => {
    const answer = press(from, key(name), bounds, abilities);
    expect(answer?.position.row).toBe(row);
    expect(answer?.position.column).toBe(column);
    expect(answer?.request).toBeNull();
  });

  it('never leaves the grid, whatever is pressed', () => {
    const keys = ['ArrowDown', 'ArrowUp', 'PageDown', 'PageUp', 'Home', 'End', 'ArrowLeft', 'ArrowRight', 'j', 'k'];
    for (const rows of [0, 1, 2, 94]) {
      let position = START;
      for (let step = 0; step < 500; step += 1) {
        const name = keys[(step * 7 + step * step) % keys.length] ?? 'End';
        position = press(position, key(name, { shift: step % 3 === 0 }), { ...bounds, rows }, abilities)?.position ?? position;
        expect(position.row).toBeGreaterThanOrEqual(HEADER);
        expect(position.row).toBeLessThan(Math.max(rows, 0));
        expect(position.column).toBeGreaterThanOrEqual(0);
        expect(position.column).toBeLessThan(bounds.columns);
      }
    }
  });

  it('leaves letters alone when they are switched off', () => {
    expect(press(at(3), key('j'), bounds, { ...abilities, letters: false })).toBeNull();
  });

  it('leaves Alt and unknown keys to others', () => {
    expect(press(at(3), key('ArrowLeft', { alt: true }), bounds, abilities)).toBeNull();
    expect(press(at(3), key('F6'), bounds, abilities)).toBeNull();
    expect(press(at(3), key('x'), bounds, abilities)).toBeNull();
  });
});

describe('asking', () => {
  it('opens the row, or sorts by the title', () => {
    expect(press(at(3), key('Enter'), bounds, abilities)?.request).toEqual({ kind: 'open', row: 3 });
    expect(press(at(HEADER, 2), key('Enter'), bounds, abilities)?.request).toEqual({ kind: 'sort', column: 2, add: false });
    expect(press(at(HEADER, 2), key('Enter', { shift: true }), bounds, abilities)?.request).toEqual({
      kind: 'sort',
      column: 2,
      add: true,
    });
  });

  it('leaves Ctrl Enter to the primary action', () => {
    expect(press(at(3), key('Enter', { ctrl: true }), bounds, abilities)).toBeNull();
  });

  it('selects one, a stretch, all', () => {
    expect(press(at(3), key(' '), bounds, abilities)?.request).toEqual({ kind: 'toggle', row: 3 });
    expect(press(at(3), key('a', { ctrl: true }), bounds, abilities)?.request).toEqual({ kind: 'all' });
    const first = press(at(3), key('ArrowDown', { shift: true }), bounds, abilities);
    expect(first?.request).toEqual({ kind: 'extend', from: 3, to: 4 });
    const second = press(first?.position ?? START, key('PageDown', { shift: true }), bounds, abilities);
    expect(second?.request).toEqual({ kind: 'extend', from: 3, to: 13 });
    const back = press(second?.position ?? START, key('Home', { shift: true }), bounds, abilities);
    expect(back?.request).toEqual({ kind: 'extend', from: 3, to: 0 });
  });

  it('does not select where nothing can be selected', () => {
    const plain = { selectable: false, letters: true };
    expect(press(at(3), key(' '), bounds, plain)).toBeNull();
    expect(press(at(3), key('a', { ctrl: true }), bounds, plain)).toBeNull();
    expect(press(at(3), key('ArrowDown', { shift: true }), bounds, plain)?.request).toBeNull();
  });

  it('never takes the titles into a selection', () => {
    const answer = press(at(0), key('ArrowUp', { shift: true }), bounds, abilities);
    expect(answer?.position.row).toBe(0);
    expect(answer?.request).toBeNull();
  });
});

describe('when the list gets shorter', () => {
  it('stays on the last row, and on the titles when nothing is left', () => {
    expect(clamp(at(93), { ...bounds, rows: 10 })).toEqual({ row: 9, column: 0, anchor: 9 });
    expect(clamp(at(93), { ...bounds, rows: 0 }).row).toBe(HEADER);
    expect(clamp(at(2, 3), { ...bounds, columns: 2 }).column).toBe(1);
  });
});

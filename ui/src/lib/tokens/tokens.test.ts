import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync('src/lib/tokens/tokens.css', 'utf8');

function block(selector: string): Record<string, string> {
  const start = css.indexOf(`${selector} {`);
  const body = css.slice(css.indexOf('{', start) + 1, css.indexOf('}', start));
  return Object.fromEntries([...body.matchAll(/--([\w-]+):\s*([^;]+);/g)].map(([, name = '', value = '']) => [name, value.trim()]));
}

const light = block(':root');
const themes: Record<string, Record<string, string>> = { light, dark: { ...light, ...block("[data-theme='dark']") } };

type Rgb = [number, number, number];

function linear(channel: number): number {
  return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
}

function fromHex(hex: string): Rgb {
  if (!/^#[0-9a-f]{6}$/.test(hex)) throw new Error(`${hex} is not a colour`);
  return [1, 3, 5].map((at) => linear(Number.parseInt(hex.slice(at, at + 2), 16) / 255)) as Rgb;
}

/** oklch to linear sRGB, after Björn Ottosson. */
function fromOklch(lightness: number, chroma: number, hue: number): Rgb {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const clip = (value: number) => Math.min(1, Math.max(0, value));
  return [
    clip(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    clip(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    clip(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

const luminance = ([r, g, b]: Rgb) => 0.2126 * r + 0.7152 * g + 0.0722 * b;

function contrast(one: Rgb, other: Rgb): number {
  const [bright, dim] = [luminance(one), luminance(other)].sort((x, y) => y - x) as [number, number];
  return (bright + 0.05) / (dim + 0.05);
}

const grounds = ['surface', 'bg', 'sunken', 'sidebar', 'hover', 'selected'];

describe.each(Object.keys(themes))('%s', (name) => {
  const theme = themes[name] ?? {};
  const colour = (token: string) => fromHex(theme[token] ?? '');
  const worst = (token: string) => Math.min(...grounds.map((ground) => contrast(colour(token), colour(ground))));

  it('is calibrated: black on white is 21', () => {
    expect(contrast([0, 0, 0], [1, 1, 1])).toBeCloseTo(21, 5);
    expect(contrast(fromOklch(1, 0, 0), fromOklch(0, 0, 0))).toBeCloseTo(21, 1);
  });

  it.each(['text', 'text-2', 'text-3', 'link', 'critical', 'high', 'medium', 'low', 'info', 'pass', 'unknown', 'sandbox'])(
    '%s reads on every ground (4.5)',
    (token) => expect(worst(token)).toBeGreaterThanOrEqual(4.5),
  );

  it.each(['border-control', 'ring'])('%s is seen on every ground (3)', (token) => expect(worst(token)).toBeGreaterThanOrEqual(3));

  it.each(['high', 'medium', 'low', 'info', 'pass', 'unknown', 'sandbox'])('%s reads on its soft ground, as do text and captions', (token) => {
    for (const written of [token, 'text', 'text-2', 'text-3']) {
      const soft = theme[`${token}-soft`] ?? '';
      expect(contrast(colour(written), fromHex(soft)), written).toBeGreaterThanOrEqual(4.5);
    }
  });

  it.each(['accent', 'accent-hover', 'accent-pressed'])('white reads on %s', (token) =>
    expect(contrast(colour('on-accent'), colour(token))).toBeGreaterThanOrEqual(4.5),
  );

  it('a filled destructive button reads', () => expect(contrast(colour('surface'), colour('high'))).toBeGreaterThanOrEqual(4.5));

  it('accent is seen on the surface, and the critical mark holds its sign', () => {
    expect(contrast(colour('accent'), colour('surface'))).toBeGreaterThanOrEqual(3);
    expect(contrast(colour('on-critical'), colour('critical'))).toBeGreaterThanOrEqual(4.5);
  });

  it('bars stand out from the surface and from each other', () => {
    expect(contrast(colour('bar-pass'), colour('surface'))).toBeGreaterThanOrEqual(3);
    expect(contrast(colour('bar-fail'), colour('surface'))).toBeGreaterThanOrEqual(3);
    expect(contrast(colour('bar-pass'), colour('bar-fail'))).toBeGreaterThanOrEqual(1.6);
  });

  it('a monogram reads in every hue', () => {
    const parts = (token: string) => (theme[token] ?? '').split(' ').map(Number) as [number, number];
    const [groundL, groundC] = parts('mark-ground');
    const [textL, textC] = parts('mark-text');
    for (let hue = 0; hue < 360; hue += 5) {
      expect(contrast(fromOklch(groundL, groundC, hue), fromOklch(textL, textC, hue)), `hue ${hue}`).toBeGreaterThanOrEqual(6);
    }
  });

  it('a tooltip and a toast read', () => expect(contrast(colour('surface'), colour('text'))).toBeGreaterThanOrEqual(7));
});

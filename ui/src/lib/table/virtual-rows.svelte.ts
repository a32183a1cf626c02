import {
  defaultRangeExtractor,
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
  type VirtualItem,
  type VirtualizerOptions,
} from '@tanstack/virtual-core';

/** What the rows are drawn from; each is read again whenever it changes. */
export interface VirtualRowsOptions {
  element: () => HTMLElement | undefined;
  count: () => number;
  /** Height of one row in CSS pixels. */
  height: () => number;
  /** Height of the sticky header above them. */
  head: () => number;
  /** A row that is drawn even when it is out of sight; below 0 means none. */
  keep: () => number;
}

/** The rows to draw, and how to bring one into sight. */
export interface VirtualRows {
  readonly items: VirtualItem[];
  readonly height: number;
  /** Height of the window onto them, header included. */
  readonly viewport: number;
  show(index: number): void;
}

/** Height of a row until it was measured. */
const UNMEASURED = 36;

/** Rows of one height, of which only the ones in sight are drawn. Call it while a component is set up. */
export function virtualRows(options: VirtualRowsOptions): VirtualRows {
  let items = $state.raw<VirtualItem[]>([]);
  let height = $state(0);
  let viewport = $state(0);

  const settings = (): VirtualizerOptions<HTMLElement, HTMLElement> => {
    // Before the first layout a row has no height, and all of the rows would fit.
    const rowHeight = options.height() || UNMEASURED;
    const head = options.head();
    const count = options.count();
    const keep = options.keep();
    return {
      count,
      getScrollElement: () => options.element() ?? null,
      estimateSize: () => rowHeight,
      scrollMargin: head,
      scrollPaddingStart: head,
      overscan: 8,
      // A window that has no size yet, as in a test without layout, still draws the first rows.
      initialRect: { width: 1000, height: 600 },
      observeElementRect: (instance, changed) =>
        observeElementRect(instance, (rect) => {
          if (rect.height > 0) changed(rect);
        }),
      observeElementOffset,
      scrollToFn: elementScroll,
      rangeExtractor: (range) => {
        const indices = defaultRangeExtractor(range);
        if (keep >= 0 && keep < count && !indices.includes(keep)) {
          indices.push(keep);
          indices.sort((a, b) => a - b);
        }
        return indices;
      },
      onChange: read,
    };
  };
  const virtualizer = new Virtualizer<HTMLElement, HTMLElement>(settings());

  function read() {
    items = virtualizer.getVirtualItems();
    height = virtualizer.getTotalSize();
    viewport = virtualizer.scrollRect?.height ?? 0;
  }

  $effect(() => virtualizer._didMount());
  let measured = 0;
  $effect(() => {
    const next = settings();
    virtualizer.setOptions(next);
    if (options.element()) virtualizer._willUpdate();
    if (measured !== options.height()) {
      measured = options.height();
      virtualizer.measure();
    }
    read();
  });

  return {
    get items() {
      return items;
    },
    get height() {
      return height;
    },
    get viewport() {
      return viewport;
    },
    show(index) {
      virtualizer.scrollToIndex(index, { align: 'auto' });
    },
  };
}

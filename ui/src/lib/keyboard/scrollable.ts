/** Lets the keyboard scroll what is too high for its box: only then is it a stop of Tab. */
export function scrollable(node: HTMLElement) {
  const look = () => {
    if (node.scrollHeight > node.clientHeight) node.tabIndex = 0;
    else node.removeAttribute('tabindex');
  };
  const seen = new ResizeObserver(look);
  seen.observe(node);
  look();
  return { destroy: () => seen.disconnect() };
}

import { href, parse, type Address } from './address';

export { href, parse, type Address } from './address';

class Router {
  #address = $state.raw<Address>(parse(location.hash));
  /** Whether a page was left for another since the window opened; the first page does not take the focus. */
  moved = false;

  constructor() {
    window.addEventListener('hashchange', () => this.#read());
  }

  /** Where the window is. */
  get address(): Address {
    return this.#address;
  }
  get path(): string[] {
    return this.#address.path;
  }
  get query(): URLSearchParams {
    return this.#address.query;
  }

  /** Goes to a page; Back returns. */
  go(path: string[], query?: URLSearchParams | Record<string, string>): void {
    location.hash = href(path, query);
    this.#read();
  }

  /** Changes the query of this page. `replace` leaves no step for Back, as while typing. */
  setQuery(query: URLSearchParams | Record<string, string>, replace = false): void {
    const next = href(this.path, query);
    if (replace) {
      history.replaceState(history.state, '', next);
      this.#read();
    } else {
      this.go(this.path, query);
    }
  }

  #read(): void {
    const next = parse(location.hash);
    if (href(next.path, next.query) === href(this.path, this.query)) return;
    if (next.path.join('/') !== this.path.join('/')) this.moved = true;
    this.#address = next;
  }
}

/** The address of this window, reactive. */
export const router = new Router();

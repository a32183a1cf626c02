import type { Application, InstancePage, ManualInstance } from '$lib/backend/backend';

/** The fields of an instance that nobody signs in to, as the console names them. */
export const manualFields = ['product', 'name', 'label', 'owner', 'console_url'] as const satisfies readonly (keyof ManualInstance)[];

/** An empty form. An application of the catalog is its own product; only *Other application*, which has no checks, stands for any. */
export function emptyManual(application: Application): ManualInstance {
  return { app: application.tile.slug, name: '', label: application.labels[0] ?? 'Default', owner: '', product: application.tile.checks > 0 ? application.tile.name : '', console_url: '' };
}

/** What is kept of such an instance. */
export function manualOf(page: InstancePage): ManualInstance {
  const input = (name: string) => page.inputs.find(({ field }) => field === name)?.value ?? '';
  const { app, name, label, owner } = page.instance;
  return { app, name, label, owner, product: input('product'), console_url: input('console_url') };
}

/** The form as it is sent. */
export function sentManual(form: ManualInstance): ManualInstance {
  return { ...form, name: form.name.trim(), owner: form.owner.trim(), product: form.product.trim(), console_url: form.console_url.trim() };
}

/** What is wrong with the form, by field; `names` are those of other instances. */
export function manualFaults(form: ManualInstance, names: readonly string[]): Partial<Record<keyof ManualInstance, string>> {
  const found: Partial<Record<keyof ManualInstance, string>> = {};
  const { name, product, owner, console_url: url } = sentManual(form);
  if (product === '') found.product = 'Name the product, such as Perplexity.';
  else if (Array.from(product).length > 80) found.product = 'A product’s name has at most 80 characters.';
  if (name === '') found.name = 'Give it a name, such as the name of the organization.';
  else if (Array.from(name).length > 80) found.name = 'A name has at most 80 characters.';
  else if (names.some((other) => other.toLowerCase() === name.toLowerCase())) found.name = `There is already an instance called “${name}”. Choose another name.`;
  if (Array.from(owner).length > 80) found.owner = 'An owner has at most 80 characters.';
  if (url !== '') {
    const parsed = URL.canParse(url) ? new URL(url) : null;
    if (parsed?.protocol !== 'https:') found.console_url = 'Write the whole address, with https:// before it.';
    else if (parsed.port !== '') found.console_url = 'Leave out the port: an address with one is not opened.';
    else if (parsed.username !== '' || parsed.password !== '') found.console_url = 'Leave out user name and password: the address is stored in clear.';
  }
  return found;
}

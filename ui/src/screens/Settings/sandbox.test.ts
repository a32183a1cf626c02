import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it } from 'vitest';
import type { SandboxTenant } from '$lib/backend/backend';
import { mockBackend } from '$lib/backend/mock';
import { router } from '$lib/router/router.svelte';
import App from '../../App.svelte';

const [applications, each] = [20, 3];
const many: SandboxTenant[] = Array.from({ length: applications * each }, (_, index) => {
  const app = Math.floor(index / each);
  return { app: `app-${app}`, app_name: `Application ${app}`, tenant: `t${index % each}`, name: `Tenant ${app}.${index % each}`, tour: index < 2 };
});

async function open(address: string[], empty = false) {
  router.go(address);
  const mock = mockBackend(empty ? { pace: 0, empty, offered: false } : { pace: 0 });
  const added: { app: string; tenant: string }[][] = [];
  const backend = { ...mock, sandboxTenants: () => Promise.resolve(many), addSandbox: (chosen: { app: string; tenant: string }[]) => (added.push(chosen), Promise.resolve()) };
  render(App, { backend });
  return { user: userEvent.setup(), added };
}

afterEach(() => {
  cleanup();
  document.body.innerHTML = '';
});

describe('sixty simulated tenants', () => {
  it('are folded by application, and found by name', async () => {
    const { user, added } = await open(['settings']);
    const part = within(await screen.findByTestId('sandbox-tenants'));
    await waitFor(() => expect(part.getAllByRole('group')).toHaveLength(applications));
    expect(screen.getByTestId('sandbox-app-app-7')).not.toHaveAttribute('open');
    expect(screen.getByTestId('sandbox-app-app-7')).toHaveTextContent('3 tenants');

    await user.click(within(screen.getByTestId('sandbox-app-app-7')).getByText('Application 7'));
    expect(screen.getByTestId('sandbox-app-app-7')).toHaveAttribute('open');
    await user.click(screen.getByTestId('sandbox-tenant-app-7-t1'));
    expect(screen.getByTestId('sandbox-app-app-7')).toHaveTextContent('3 tenants, 1 chosen');

    await user.type(screen.getByTestId('sandbox-search'), 'tenant 12.2');
    await waitFor(() => expect(part.getAllByRole('group')).toHaveLength(1));
    expect(screen.getByTestId('sandbox-app-app-12')).toHaveAttribute('open');
    expect(screen.queryByTestId('sandbox-tenant-app-12-t0')).toBeNull();
    await user.click(screen.getByTestId('sandbox-tenant-app-12-t2'));
    await user.clear(screen.getByTestId('sandbox-search'));
    await waitFor(() => expect(part.getAllByRole('group')).toHaveLength(applications));
    expect(screen.getByTestId('sandbox-app-app-12')).not.toHaveAttribute('open');
    expect(screen.getByTestId('sandbox-app-app-7')).toHaveAttribute('open');

    await user.type(screen.getByTestId('sandbox-search'), 'nobody');
    expect(await screen.findByTestId('sandbox-nothing-matches')).toBeInTheDocument();
    // What was chosen is added, whether it is to be seen or not.
    await user.click(screen.getByTestId('sandbox-add'));
    await waitFor(() => expect(added).toEqual([[{ app: 'app-7', tenant: 't1' }, { app: 'app-12', tenant: 't2' }]]));
  });

  it('are not all added at first start: only the few of the tour', async () => {
    const { user, added } = await open([], true);
    const begin = await screen.findByTestId('sandbox-add');
    await waitFor(() => expect(screen.getByText('2 tenants')).toBeInTheDocument());
    await user.click(begin);
    await waitFor(() => expect(added).toEqual([[{ app: 'app-0', tenant: 't0' }, { app: 'app-0', tenant: 't1' }]]));
  });
});

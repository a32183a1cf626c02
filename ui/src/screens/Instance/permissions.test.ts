import { cleanup, render, screen } from '@testing-library/svelte';
import { afterEach, expect, it } from 'vitest';
import type { Backend } from '$lib/backend/backend';
import { mockBackend } from '$lib/backend/mock';
import { router } from '$lib/router/router.svelte';
import App from '../../App.svelte';

async function open(instance: string, change: (backend: Backend) => Partial<Backend> = () => ({})) {
  const mock = mockBackend();
  router.go(['applications', instance]);
  render(App, { backend: { ...mock, ...change(mock) } });
  return screen.findByTestId('permissions-card');
}

afterEach(() => {
  cleanup();
  document.body.innerHTML = '';
  router.go(['overview']);
});

it('says what is granted without need, and what would do instead', async () => {
  const card = await open('i-github');
  expect(screen.getByTestId('permissions-granted')).toHaveTextContent('delete_repo');
  expect(screen.getByTestId('permissions-spare')).toHaveTextContent('read:org would do instead of admin:org.');
  expect(card).toHaveTextContent('The vendor says so with each answer.');
  expect(card).toHaveTextContent('Of 4 more a scan tells.');
});

it('says that a vendor does not tell, and takes nothing away', async () => {
  await open('i-kustomer', (mock) => ({
    permissions: async () => {
      const told = await mock.permissions('i-github');
      return { ...told, advice: { ...told.advice, granted: { told_by: '', scopes: [], at: null }, spare: [], silent: 'Kustomer does not tell which scopes this credential holds.' } };
    },
  }));
  expect(screen.getByTestId('permissions-silent')).toHaveTextContent('does not tell');
  expect(screen.queryByTestId('permissions-spare')).toBeNull();
  expect(screen.queryByTestId('permissions-granted')).toBeNull();
});

it('names what to grant and what it costs', async () => {
  await open('i-github', (mock) => ({
    permissions: async () => {
      const told = await mock.permissions('i-github');
      const grant = { scope: 'read:audit_log', any_of: ['read:audit_log', 'admin:org'], datasets: ['Audit log'], checks: 2, said: 'GitHub answered 403.' };
      const lost = { id: 'github.log', title: 'The log is read', severity: 'low' as const, datasets: ['Audit log'] };
      return { ...told, advice: { ...told.advice, grants: [grant], lost: [lost] } };
    },
  }));
  const grant = screen.getByTestId('grant-read:audit_log');
  expect(grant).toHaveTextContent('Without it 2 checks stay Not evaluated.');
  expect(grant).toHaveTextContent('admin:org would do, too.');
  expect(screen.getByTestId('permissions-lost')).toHaveTextContent('The log is read: Audit log');
});

import { cleanup, render, screen, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it } from 'vitest';
import type { Backend, Coverage } from '$lib/backend/backend';
import { mockBackend } from '$lib/backend/mock';
import { router } from '$lib/router/router.svelte';
import App from '../../App.svelte';
import { byDomain, readStates } from './coverage';

async function open(path: string[], query: Record<string, string> = {}, change: (backend: Backend) => Partial<Backend> = () => ({})) {
  const mock = mockBackend();
  router.go(path, query);
  render(App, { backend: { ...mock, ...change(mock) } });
  await screen.findByTestId('page-title');
  return { user: userEvent.setup() };
}

afterEach(() => {
  cleanup();
  document.body.innerHTML = '';
  router.go(['overview']);
});

describe('the capability sheet', () => {
  it('says of each control what looks at it, and why nothing does', async () => {
    const { user } = await open(['add-application', 'kustomer']);
    await user.click(await screen.findByTestId('tab-coverage'));
    const sheet = await screen.findByTestId('coverage');
    const control = (id: string) => within(sheet).getByTestId(`control-${id}`);
    expect(control('IAM-SaaS-04')).toHaveAttribute('data-state', 'checked');
    expect(control('IAM-SaaS-12')).toHaveTextContent('Attested');
    expect(control('LOG-SaaS-02')).toHaveTextContent('does not name the address');
    expect(control('LOG-SaaS-02')).toHaveTextContent('Known from https://developer.kustomer.com');
    // Where nobody wrote why, nothing is made up.
    expect(control('CCC-SaaS-01')).toHaveTextContent('Nobody has looked at this yet.');
    expect(within(sheet).queryByText('Pass')).toBeNull();
    // Of the application itself the best login option is meant.
    expect(screen.queryByTestId('coverage-login_lacks')).toBeNull();
  });

  it('is narrowed down by state, in the address', async () => {
    const { user } = await open(['add-application', 'kustomer'], { tab: 'coverage' });
    await user.click(await screen.findByTestId('coverage-not_covered'));
    expect(screen.getAllByTestId(/^control-/).map((row) => row.dataset.state)).toEqual(['not_covered', 'not_covered']);
    expect(router.query.get('state')).toBe('not_covered');
    expect(router.query.get('tab')).toBe('coverage');
    await user.click(screen.getByTestId('coverage-not_covered'));
    expect(screen.getAllByTestId(/^control-/).length).toBeGreaterThan(2);
  });

  it('of an instance tells what its login option does not reach', async () => {
    await open(['applications', 'i-github'], { tab: 'coverage' });
    const row = await screen.findByTestId('control-LOG-SaaS-03');
    expect(row).toHaveAttribute('data-state', 'login_lacks');
    expect(row).toHaveTextContent('not with this login option');
  });

  it('tells why it cannot be shown', async () => {
    const failure = { code: 'E-MANIFEST', sentence: 'The catalog cannot be read.', remedy: 'Correct it.', field: null };
    await open(['add-application', 'kustomer'], { tab: 'coverage' }, () => ({ coverage: () => Promise.reject<Coverage>(failure) }));
    expect(await screen.findByTestId('failure-sentence')).toHaveTextContent('The catalog cannot be read.');
  });

  it('keeps the order of domains and takes no unknown state', () => {
    const control = (id: string, domain: string, state: 'checked' | 'not_covered') => ({ id, domain, title: '', asks: '', state, checks: [], attested: [], reason: '', source: '' });
    const list = [control('a', 'One', 'checked'), control('b', 'One', 'not_covered'), control('c', 'Two', 'checked')];
    expect(byDomain(list, []).map(({ domain, controls }) => [domain, controls.length])).toEqual([['One', 2], ['Two', 1]]);
    expect(byDomain(list, ['not_covered']).map(({ controls }) => controls.map(({ id }) => id))).toEqual([['b']]);
    expect(readStates(new URLSearchParams({ state: 'nonsense,checked' }))).toEqual(['checked']);
  });
});

import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it } from 'vitest';
import App from '../../App.svelte';
import type { Backend, FleetQuery } from '$lib/backend/backend';
import { mockBackend } from '$lib/backend/mock';
import { router } from '$lib/router/router.svelte';
import { NO_FILTER } from './fleet';

async function open(query: Record<string, string> = {}, change: (backend: Backend) => Partial<Backend> = () => ({})) {
  const mock = mockBackend();
  const backend: Backend = { ...mock, ...change(mock) };
  router.go(['plugins'], query);
  render(App, { backend });
  await screen.findByTestId(`panel-${query.tab ?? 'plugins'}`);
  return { backend, user: userEvent.setup() };
}
afterEach(() => {
  cleanup();
  router.go(['overview']);
});

const plugins = (filter: Partial<FleetQuery['filter']>): FleetQuery => ({ filter: { ...NO_FILTER, ...filter }, sort: 'severity', descending: true, slice: { offset: 0, limit: 500 } });
const undo = async (user: ReturnType<typeof userEvent.setup>) => user.click(within((await screen.findAllByTestId('toast')).at(-1) as HTMLElement).getByText('Undo'));

describe('Plugins', () => {
  it('asks for what is filtered and counts what is shown', async () => {
    const asked: FleetQuery[] = [];
    const { user, backend } = await open({ reviewed: 'no' }, (mock) => ({
      pluginsEverywhere: (query) => {
        asked.push(query);
        return mock.pluginsEverywhere(query);
      },
    }));
    await user.click(await screen.findByTestId('filter-ai'));
    await user.click(await screen.findByTestId('filter-ai-yes'));
    await waitFor(() => expect(asked.at(-1)?.filter).toEqual({ ...NO_FILTER, reviewed: false, gen_ai: true }));
    const found = await backend.pluginsEverywhere(plugins({ reviewed: false, gen_ai: true }));
    await waitFor(() => expect(screen.getByTestId('plugins-count')).toHaveTextContent(`${found.total} of ${found.all} plugins`));
    expect(await screen.findByTestId('gaps')).toHaveTextContent('The connector of this application reads no plugins.');
  });

  it('is marked as reviewed in the pane, and Undo takes it back', async () => {
    const { user, backend } = await open({ item: 'i-slack/1' });
    const review = async () => (await backend.pluginsEverywhere(plugins({ instances: ['i-slack'] }))).rows.find(({ plugin }) => plugin.id === '1')?.review ?? null;
    expect(await screen.findByTestId('item-review')).toHaveTextContent('Not reviewed');
    await user.click(screen.getByTestId('item-reviewed'));
    await waitFor(() => expect(screen.getByTestId('item-review')).toHaveTextContent(/^Reviewed .* by ada/));
    expect((await review())?.same_rights).toBe(true);
    await undo(user);
    await waitFor(() => expect(screen.getByTestId('item-review')).toHaveTextContent('Not reviewed'));
    expect(await review()).toBeNull();
  });

  it('counts one whose rights are others since as not reviewed', async () => {
    const { backend } = await open({ item: 'i-zendesk/1', reviewed: 'yes' });
    expect(await screen.findByTestId('item-review')).toHaveTextContent('Not reviewed: other rights since');
    const reviewed = await backend.pluginsEverywhere(plugins({ reviewed: true }));
    expect(reviewed.rows.map(({ instance, plugin }) => `${instance}/${plugin.id}`)).toEqual(['i-slack/2']);
  });

  it('marks every selected row, tells what the console refuses, and Undo takes back what was changed', async () => {
    let left = 2;
    const { user, backend } = await open({ app: 'slack' }, (mock) => ({
      setPluginReviewed: (instance, plugin, reviewed) => {
        if (reviewed && left-- === 0) return Promise.reject({ code: 'E-BUSY', sentence: 'The database is busy.', remedy: 'Try again.', field: null });
        return mock.setPluginReviewed(instance, plugin, reviewed);
      },
    }));
    const reviewed = async () => (await backend.pluginsEverywhere(plugins({ apps: ['slack'], reviewed: true }))).total;
    expect(await reviewed()).toBe(1);
    await waitFor(() => expect(screen.getByTestId('plugins-count')).toHaveTextContent('6 of'));
    (await screen.findByTestId('plugins-table')).focus();
    await user.keyboard('{Control>}a{/Control}');
    expect(await screen.findByTestId('plugins-selected')).toHaveTextContent('6 selected');
    await user.click(screen.getByTestId('review-selected'));
    expect(await screen.findByTestId('failure-sentence')).toHaveTextContent('The database is busy.');
    expect(await reviewed()).toBe(3);
    await undo(user);
    await waitFor(async () => expect(await reviewed()).toBe(1));
  });
});

describe('Users', () => {
  it('lead to their plugins', async () => {
    const { user, backend } = await open({ tab: 'users' });
    const { rows } = await backend.pluginUsers('', 'without', { offset: 0, limit: 100 });
    expect(await screen.findByTestId('users-count')).toHaveTextContent(`${rows.length} users`);
    (await screen.findByTestId('users-table')).focus();
    await user.keyboard('{Enter}');
    await waitFor(() => expect(screen.getByTestId('plugins-count')).toHaveTextContent(`${rows[0]?.plugins} of`));
    expect(router.query.get('user')).toBe(rows[0]?.user);
  });
});

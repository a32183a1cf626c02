import { cleanup, render, screen, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it } from 'vitest';
import type { Backend, ManualInstance, Tile } from '$lib/backend/backend';
import { mockBackend } from '$lib/backend/mock';
import { router } from '$lib/router/router.svelte';
import App from '../../App.svelte';

async function open(path: string[], change: (backend: Backend) => Partial<Backend> = () => ({})) {
  const mock = mockBackend();
  router.go(path);
  render(App, { backend: { ...mock, ...change(mock) } });
  await screen.findByTestId('page-title');
  return { user: userEvent.setup() };
}

afterEach(() => {
  cleanup();
  document.body.innerHTML = '';
  router.go(['overview']);
});

describe('an application that nobody signs in to yet', () => {
  it('says so on its tile, with its checks and its badge', async () => {
    await open(['add-application']);
    const tile = await screen.findByTestId('tile-sap-ariba');
    expect(tile).toHaveTextContent('Manual until connected');
    expect(tile).toHaveTextContent('16 checks');
    expect(within(tile).getByTestId('badge-manual')).toHaveAttribute('title', expect.stringContaining('attests'));
    expect(within(await screen.findByTestId('tile-kustomer')).getByTestId('badge-contract')).toHaveAttribute('title', expect.stringContaining('API description'));
  });

  it('lists the login options to come, none of which can be chosen, and what is left out', async () => {
    const { user } = await open(['add-application', 'sap-ariba']);
    const list = await screen.findByTestId('planned-logins');
    expect(list).toHaveTextContent('OAuth client is to come.');
    expect(within(list).queryByRole('button')).toBeNull();
    expect(within(list).queryByRole('radio')).toBeNull();
    await user.click(screen.getByTestId('tab-coverage'));
    expect(await screen.findByTestId('left-out')).toHaveTextContent('needs a connector');
  });

  it('is added under its own name, and opens at its manual checks', async () => {
    const sent: ManualInstance[] = [];
    const { user } = await open(['add-application', 'sap-ariba'], (mock) => ({
      addManualInstance: (request) => {
        sent.push(request);
        return mock.addManualInstance(request);
      },
    }));
    await user.click(await screen.findByTestId('add-instance'));
    const dialog = await screen.findByTestId('add-manual-instance-dialog');
    expect(screen.getByTestId('manual-product')).toHaveValue('SAP Ariba');
    expect(dialog).toHaveTextContent('16 checks are attested next');
    expect(within(dialog).getByTestId('planned-logins')).toBeInTheDocument();
    await user.type(screen.getByTestId('manual-name'), 'Halden Moor');
    await user.click(screen.getByTestId('manual-add'));
    expect(await screen.findByTestId('instance-health')).toHaveTextContent('Manual');
    expect(screen.queryByTestId('scan-now')).toBeNull();
    expect(sent).toMatchObject([{ app: 'sap-ariba', product: 'SAP Ariba', name: 'Halden Moor' }]);
  });
});

describe('a service that has ended', () => {
  it('says so and cannot be added, by button or by key', async () => {
    const { user } = await open(['add-application', 'bluejeans']);
    expect(await screen.findByTestId('ended')).toHaveTextContent('The service ended on 29 February 2024.');
    expect(screen.queryByTestId('add-instance')).toBeNull();
    await user.keyboard('{Control>}{Enter}{/Control}');
    expect(screen.queryByTestId('add-manual-instance-dialog')).toBeNull();
  });

  it('says so on its tile', async () => {
    await open(['add-application']);
    expect(within(await screen.findByTestId('tile-bluejeans')).getByTestId('badge-ended')).toHaveTextContent('Ended');
  });
});

it('seventy tiles are all there, found by name, and by badge', async () => {
  const more = (mock: Backend) => ({
    tiles: async () => {
      const [first, ...rest] = await mock.tiles();
      const copies: Tile[] = first ? Array.from({ length: 70 - rest.length }, (_, at) => ({ ...first, slug: `copy-${at}`, name: `Copy ${at}` })) : [];
      return [...copies, ...rest];
    },
  });
  const { user } = await open(['add-application'], more);
  expect((await screen.findAllByTestId(/^tile-(?!search)/)).length).toBe(70);
  await user.type(screen.getByTestId('tile-search'), 'zend');
  expect(screen.getAllByTestId(/^tile-(?!search)/).map((tile) => tile.dataset.testid)).toEqual(['tile-zendesk']);
  await user.clear(screen.getByTestId('tile-search'));
  await user.click(screen.getByTestId('verified-recorded'));
  expect(screen.getAllByTestId(/^tile-(?!search)/).map((tile) => tile.dataset.testid)).toEqual(['tile-docusign', 'tile-zoom']);
});

import type { Component } from 'svelte';
import Activity from './Activity/Activity.svelte';
import AddApplication from './AddApplication/AddApplication.svelte';
import ApplicationInstances from './AddApplication/ApplicationInstances.svelte';
import Applications from './Applications/Applications.svelte';
import Attestations from './Attestations/Attestations.svelte';
import Changes from './Changes/Changes.svelte';
import Digest from './Digest/Digest.svelte';
import Findings from './Findings/Findings.svelte';
import Compliance from './Compliance/Compliance.svelte';
import ControlDetail from './Compliance/ControlDetail.svelte';
import Framework from './Compliance/Framework.svelte';
import Identities from './Fleet/Identities.svelte';
import Plugins from './Fleet/Plugins.svelte';
import AzureAdClient from './Guides/AzureAdClient.svelte';
import Instance from './Instance/Instance.svelte';
import Overview from './Overview/Overview.svelte';
import RuleDetail from './SecurityConfigurations/RuleDetail.svelte';
import SecurityConfigurations from './SecurityConfigurations/SecurityConfigurations.svelte';
import Settings from './Settings/Settings.svelte';

/** A screen and what the address tells it. */
export interface Shown {
  /** The entry of the sidebar it belongs to. */
  page: string;
  /** A new key is a new page. */
  key: string;
  // Each screen has props of its own; `show` below is the one place that matches them.
  component: Component<Record<string, string>>;
  props: Record<string, string>;
}

const screen = (component: unknown) => component as Component<Record<string, string>>;

/** The screen of an address; an unknown one is the Overview. */
export function show(path: string[]): Shown {
  const [first, second, third] = path;
  const entry = (page: string, component: unknown, props: Record<string, string> = {}): Shown => ({
    page,
    key: [page, ...Object.values(props)].join('/'),
    component: screen(component),
    props,
  });
  switch (first) {
    case 'applications':
      return second === undefined ? entry('applications', Applications) : entry('applications', Instance, { id: second });
    case 'add-application':
      return second === undefined
        ? entry('add-application', AddApplication)
        : entry('add-application', ApplicationInstances, { slug: second });
    case 'security-configurations':
      return second === undefined ? entry('security-configurations', SecurityConfigurations) : entry('security-configurations', RuleDetail, { rule: second });
    case 'compliance':
      if (second === undefined) return entry('compliance', Compliance);
      return third === undefined
        ? entry('compliance', Framework, { framework: second })
        : entry('compliance', ControlDetail, { framework: second, control: third });
    case 'findings':
      return entry('findings', Findings);
    case 'changes':
      return entry('changes', Changes);
    case 'identities':
      return entry('identities', Identities);
    case 'plugins':
      return entry('plugins', Plugins);
    case 'attestations':
      return entry('overview', Attestations, { list: 'attestations' });
    case 'digest':
      return entry('overview', Digest, { digest: second ?? '' });
    case 'guides':
      // The one guide there is; it belongs to adding an application.
      return entry('add-application', AzureAdClient, { guide: second ?? 'azure-ad-client' });
    case 'activity':
      return entry('activity', Activity);
    case 'settings':
      return entry('settings', Settings);
    default:
      return entry('overview', Overview);
  }
}

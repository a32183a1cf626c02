import type {
  CheckOutcome,
  ControlPage,
  FrameworkControl,
  FrameworkList,
  FrameworkPage,
  FrameworkRow,
  Instance,
  InstanceOutcome,
  OutcomeCounts,
  Rule,
  RuleCheck,
  RuleList,
  RulePage,
  RuleStatus,
  StatusCounts,
} from '../backend';
import { ago } from './clock';

/** A check by the last part of its id, with the controls that it names and what it comes to, instance after instance. */
type Facts = [id: string, title: string, severity: RuleCheck['severity'], sscf: string[], soc2: string[], outcomes: CheckOutcome[]];

const checks: Facts[] = [
  ['sso_enabled', 'Single sign-on is on', 'high', ['IAM-SaaS-04'], ['CC6.1'], ['passed']],
  ['passwords_off', 'Passwords are off beside single sign-on', 'high', ['IAM-SaaS-05'], ['CC6.1'], ['failed', 'passed']],
  ['mfa', 'Two-factor authentication is required', 'critical', ['IAM-SaaS-12'], ['CC6.1', 'CC6.6'], ['attested', 'due']],
  ['idle', 'Idle sessions end', 'medium', ['IAM-SaaS-20'], ['CC6.6'], ['passed', 'not_evaluated']],
  ['audit_log', 'The audit log is kept for a year', 'low', ['LOG-SaaS-04'], ['CC7.2'], ['not_applicable']],
];

const controls: [id: string, domain: string, title: string, asks: string][] = [
  ['CCC-SaaS-01', 'Change and configuration', 'Configuration can be queried', 'Security settings can be read by a program.'],
  ['IAM-SaaS-04', 'Identity and access', 'Single sign-on is supported', 'Users can sign in through the company’s identity provider.'],
  ['IAM-SaaS-05', 'Identity and access', 'Single sign-on is enforced', 'There is no way in beside the identity provider.'],
  ['IAM-SaaS-12', 'Identity and access', 'A second factor', 'Users prove who they are with more than a password.'],
  ['IAM-SaaS-20', 'Identity and access', 'Idle sessions end', 'A session that nobody uses ends.'],
  ['LOG-SaaS-04', 'Logging and monitoring', 'How long logs are kept', 'Logs are kept long enough to look into an incident.'],
];

const criteria = ['CC6.1', 'CC6.2', 'CC6.6', 'CC7.2', 'PI1.1'];
const order: CheckOutcome[] = ['failed', 'not_evaluated', 'due', 'passed', 'attested', 'not_applicable'];

/** What checks came to over the instances of an invented console. */
export class InventedCompliance {
  constructor(private readonly all: () => Instance[]) {}

  private of(only: boolean): { sandbox: boolean; instances: Instance[] } {
    const all = this.all();
    const sandbox = only || (all.length > 0 && all.every((instance) => instance.sandbox));
    return { sandbox, instances: all.filter((instance) => instance.sandbox === sandbox) };
  }

  private named(instances: Instance[], names: (facts: Facts) => string[], control: string): RuleCheck[] {
    const apps = [...new Set(instances.map(({ app }) => app))].slice(0, 2);
    return apps.flatMap((app) =>
      checks
        .filter((facts) => names(facts).includes(control))
        .map(([id, title, severity, , , given]): RuleCheck => {
          const own = instances.filter((instance) => instance.app === app);
          const outcomes = own.map((instance, index): InstanceOutcome => {
            const outcome = given[(index + apps.indexOf(app)) % given.length] ?? 'not_evaluated';
            const attested = outcome === 'attested' || outcome === 'due';
            return {
              instance: instance.id,
              instance_name: instance.name,
              sandbox: instance.sandbox,
              outcome,
              verdicts: { pass: outcome === 'passed' ? 1 : 0, fail: outcome === 'failed' ? 2 : 0, not_applicable: 0, not_evaluated: outcome === 'not_evaluated' ? 1 : 0, manual: 0, observed: 0 },
              open: outcome === 'failed' ? 2 : 0,
              cause: outcome === 'not_evaluated' ? { kind: 'scope_missing', sentence: 'The key lacks a role.', remedy: 'Make a key with it.' } : null,
              attestation: attested ? (outcome === 'due' ? 'due' : 'attested') : null,
              as_of: outcome === 'due' ? null : ago({ hours: 2 }),
            };
          });
          outcomes.sort((a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome));
          return { check: `${app}.auth.${id}`, title, app, app_name: own[0]?.app_name ?? app, severity, manual: id === 'mfa', instances: outcomes };
        }),
    );
  }

  private sum(named: RuleCheck[]): { status: RuleStatus; checks: number; instances: number; counts: OutcomeCounts } {
    const counts: OutcomeCounts = { failed: 0, not_evaluated: 0, due: 0, passed: 0, attested: 0, not_applicable: 0 };
    const instances = named.flatMap((check) => check.instances);
    for (const { outcome } of instances) counts[outcome] += 1;
    const status: RuleStatus =
      named.length === 0
        ? 'not_covered'
        : counts.failed > 0
          ? 'failed'
          : counts.not_evaluated + counts.due > 0
            ? 'not_evaluated'
            : counts.passed > 0
              ? 'passed'
              : counts.attested > 0
                ? 'attested'
                : 'not_applicable';
    return { status, checks: named.length, instances: new Set(instances.map(({ instance }) => instance)).size, counts };
  }

  rules(only: boolean): RuleList {
    const { sandbox, instances } = this.of(only);
    const rows = controls.map(([id, domain, title, asks]): Rule => ({ id, domain, title, asks, ...this.sum(this.named(instances, (facts) => facts[3], id)) }));
    return { sandbox, instances: instances.length, unreadable: [], rows };
  }

  rule(only: boolean, id: string): RulePage | undefined {
    const { sandbox, instances } = this.of(only);
    const rule = this.rules(only).rows.find((row) => row.id === id);
    return rule && { sandbox, rule, checks: this.named(instances, (facts) => facts[3], id) };
  }

  framework(only: boolean, id: string): FrameworkPage | undefined {
    if (id !== 'soc2') return undefined;
    const { sandbox, instances } = this.of(only);
    const rows = criteria.map((criterion): FrameworkControl => {
      const summed = this.sum(this.named(instances, (facts) => facts[4], criterion));
      const sentence = summed.status === 'not_covered' ? 'Not checked by this console.' : `${summed.counts.failed} failed of ${summed.checks} checks.`;
      return { id: criterion, title: '', family: criterion.slice(0, 3), family_title: 'Access, logical and physical', ...summed, sentence };
    });
    const statuses: StatusCounts = { failed: 0, not_evaluated: 0, passed: 0, attested: 0, not_applicable: 0, not_covered: 0 };
    for (const { status } of rows) statuses[status] += 1;
    const touched = rows.length - statuses.not_covered;
    const framework: FrameworkRow = {
      id,
      name: 'SOC 2',
      title: 'SOC 2 Trust Services Criteria 2017',
      unit: 'criteria',
      total: rows.length,
      touched,
      statuses,
      sentence: `${touched} of ${rows.length} criteria are touched by checks; the other ${statuses.not_covered} are not checked by this console.`,
    };
    return { sandbox, instances: instances.length, unreadable: [], framework, note: 'Criteria are met by an organization.', source: 'https://www.aicpa-cima.com/', families: [], controls: rows };
  }

  frameworks(only: boolean): FrameworkList {
    const page = this.framework(only, 'soc2');
    return { sandbox: page?.sandbox ?? only, instances: page?.instances ?? 0, unreadable: [], rows: page ? [page.framework] : [] };
  }

  control(only: boolean, framework: string, id: string): ControlPage | undefined {
    const page = this.framework(only, framework);
    const control = page?.controls.find((row) => row.id === id);
    if (!page || !control) return undefined;
    const { sandbox, instances } = this.of(only);
    return { sandbox, framework, framework_name: page.framework.name, control, checks: this.named(instances, (facts) => facts[4], id) };
  }
}

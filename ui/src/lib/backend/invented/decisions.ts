import type {
  Decision,
  DecisionKind,
  DecisionList,
  DecisionQuery,
  Dismissed,
  Failure,
  Finding,
  FindingPage,
  HeldBy,
  Instance,
  NewDismissal,
  NewIgnore,
  NewLock,
  NewOverride,
  NewUnmonitor,
} from '../backend';
import { ago } from './clock';

const fault = (code: string, sentence: string, remedy: string, field: string | null = null): Failure => ({ code, sentence, remedy, field });

/** Decisions of the invented console, as far as they bear on what it shows. */
export class InventedDecisions {
  #all: Decision[] = [];
  /** The finding that each dismissal is of. */
  #of = new Map<string, string>();
  #next = 1;

  constructor(private readonly instances: () => Instance[]) {}

  #add(kind: DecisionKind, instance: string, part: Partial<Decision>): Decision {
    const of = this.instances().find(({ id }) => id === instance);
    const decision: Decision = {
      id: `d-${this.#next++}`,
      kind,
      instance,
      instance_name: of?.name ?? '',
      app_name: of?.app_name ?? '',
      sandbox: of?.sandbox ?? false,
      check: '',
      title: '',
      resource: '',
      value: '',
      reason: '',
      approver: '',
      who: 'ada',
      at: ago({}),
      until: null,
      in_force: true,
      ended_at: null,
      ended_why: null,
      ...part,
    };
    this.#all = [decision, ...this.#all];
    return decision;
  }

  dismiss({ findings, reason, approver, until }: NewDismissal, known: Finding[]): Dismissed {
    if (reason.trim() === '') throw fault('E-REASON', 'The reason has 1 to 1000 characters, without control characters.', 'Write why.', 'reason');
    const answer: Dismissed = { decisions: [], until, refused: [] };
    for (const id of findings) {
      const finding = known.find((one) => one.id === id);
      if (finding === undefined) answer.refused.push({ finding: id, code: 'E-NOT-FOUND', sentence: 'There is no such finding.' });
      else if (finding.attested) answer.refused.push({ finding: id, code: 'E-FINDING-ATTESTED', sentence: 'A person attested it; attest it again instead.' });
      else if (finding.state === 'fixed' || finding.state === 'gone') answer.refused.push({ finding: id, code: 'E-FINDING-ENDED', sentence: 'It is fixed or gone already.' });
      else {
        const { check, title, resource, instance } = finding;
        const decision = this.#add('dismiss', instance, { check, title, resource, reason, approver, until });
        this.#of.set(decision.id, id);
        answer.decisions.push(decision.id);
      }
    }
    return answer;
  }

  override({ instance, check, param, value, reason }: NewOverride): Decision {
    const number = Number(value);
    if (!Number.isInteger(number) || number < 1 || number > 168) throw fault('E-PARAM', 'Longest session lies between 1 and 168 hours.', 'Correct it or leave it empty.', 'value');
    return this.#add('override', instance, { check, title: 'Sessions end within a working day', value: `${param} ${value}`, reason });
  }

  lock({ instance, check, reason }: NewLock): Decision {
    return this.#add('lock', instance, { check, title: 'Passwords are off when SSO is on', value: 'SAML on, passwords on', reason });
  }

  unmonitor({ instance, check, reason, approver, until }: NewUnmonitor): Decision {
    return this.#add('unmonitor', instance, { check, title: 'Passwords are off when SSO is on', reason, approver, until });
  }

  ignore({ instance, account, days, reason }: NewIgnore): Decision {
    const until = new Date(Date.parse(ago({})) + days * 86_400_000).toISOString().slice(0, 10);
    return this.#add('ignore', instance, { check: 'account:users', title: account, resource: account, reason, until });
  }

  undo(id: string): Decision {
    const decision = this.#all.find((one) => one.id === id);
    if (decision === undefined) throw fault('E-NOT-FOUND', 'There is no such decision.', 'Reload the list.');
    if (!decision.in_force) throw fault('E-DECISION-ENDED', 'This decision has ended.', 'Reload the list: there is nothing left to undo.');
    const ended: Decision = { ...decision, in_force: false, ended_at: ago({}), ended_why: 'undone' };
    this.#all = this.#all.map((one) => (one.id === id ? ended : one));
    return ended;
  }

  list({ filter, slice }: DecisionQuery): DecisionList {
    const fits = (one: Decision) =>
      (filter.instance === null || one.instance === filter.instance) &&
      (filter.kinds.length === 0 || filter.kinds.includes(one.kind)) &&
      (filter.in_force === null || one.in_force === filter.in_force);
    const rows = this.#all.filter(fits);
    return { total: rows.length, rows: rows.slice(slice.offset, slice.offset + slice.limit) };
  }

  #holding(finding: Finding): Decision | null {
    const holds = (one: Decision) => one.in_force && (this.#of.get(one.id) === finding.id || (one.kind === 'unmonitor' && one.instance === finding.instance && one.check === finding.check));
    return this.#all.find(holds) ?? null;
  }

  /** The finding as decided. */
  finding(finding: Finding): Finding {
    const by = finding.state === 'open' ? this.#holding(finding) : null;
    return by === null ? finding : { ...finding, state: 'dismissed', held_by: { id: by.id, kind: by.kind, until: by.until } };
  }

  page(page: FindingPage): FindingPage {
    const of = (kind: DecisionKind) =>
      this.#all.find((one) => one.in_force && one.kind === kind && one.instance === page.finding.instance && one.check === page.finding.check) ?? null;
    return { ...page, decision: this.#holding(page.finding), overridden: of('override'), locked: of('lock') };
  }

  ignoredBy(instance: string, account: string): HeldBy | null {
    const by = this.#all.find((one) => one.in_force && one.kind === 'ignore' && one.instance === instance && one.resource === account);
    return by === undefined ? null : { id: by.id, kind: by.kind, until: by.until };
  }
}

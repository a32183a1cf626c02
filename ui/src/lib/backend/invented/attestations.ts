import type {
  Attestation,
  AttestationCounts,
  AttestationList,
  AttestationState,
  Failure,
  FileToAttach,
  Instance,
  ManualCheck,
  NewAttestation,
  OwnCheck,
  OwnCheckDraft,
  SandboxScope,
  Severity,
} from '../backend';
import { ago } from './clock';

const failure = (code: string, sentence: string, remedy: string, field: string | null = null): Failure => ({ code, sentence, remedy, field });

/** `2027-11-21`, so many days from today. */
function dayFrom(days: number): string {
  return ago({ days: -days }).slice(0, 10);
}

type Facts = [check: string, title: string, severity: Severity, recommended: string, why: string, steps: string[], place: string];

const asked: Record<string, Facts[]> = {
  convo: [
    ['two-factor', 'Two-factor authentication is required of every user', 'high', 'Required for all users', 'A password that was guessed or given away is enough where there is no second factor.', ['Sign in to Convo as a network administrator.', 'Open Network Settings › Security.', 'Look whether two-factor authentication is on for all users.'], 'Network Settings › Security'],
    ['sso', 'Single sign-on is on', 'high', 'On, with the company’s identity provider', 'Who leaves the company loses access in one place.', ['Open Network Settings › Single sign on.', 'Look whether it is on, and whose metadata it holds.'], 'Network Settings › Single sign on'],
    ['password-expiry', 'Passwords are strong and end', 'medium', 'Strong, at most 365 days', 'Where single sign-on is not enforced, the password is all there is.', ['Open Network Settings › Security.', 'Read password strength and expiry.'], 'Network Settings › Security'],
    ['ip-ranges', 'Access is limited to known networks', 'low', 'The company’s networks', 'A stolen session is worth less where it works from known networks only.', ['Open Network Settings › Security.', 'Read the IP ranges.'], 'Network Settings › Security'],
  ],
};

/** Manual checks and what was attested of them, as the console keeps them. */
export class InventedAttestations {
  #given = new Map<string, Attestation[]>();
  #own = new Map<string, OwnCheck[]>();
  #products = new Map<string, { product: string; console_url: string }>();
  #instances: () => Instance[];
  #next = 1;

  constructor(instances: () => Instance[]) {
    this.#instances = instances;
    const convo = instances().find(({ app }) => app === 'convo');
    const question = (check: string) => {
      const [, title = check, , recommended = ''] = (asked.convo ?? []).find(([id]) => `convo.${id}` === check) ?? [];
      return { asked: title, recommended };
    };
    if (!convo) return;
    const given = (check: string, answer: Attestation['answer'], days: number, valid: number, note: string, file = false) =>
      this.#put(convo.id, check, { ...question(check), answer, at: ago({ days }), valid_until: dayFrom(valid), note, who: 'A. Brandt', file: file ? { name: 'network-settings.pdf', media_type: 'application/pdf', size: 48_200, sha256: '9f2c4a7be1d05583ac11f09e6f7a2f40c6a8be9b16c7d1b2a0d1f1a7c3e8d942' } : null });
    given('convo.sso', 'met', 40, 325, 'On, with our Okta. Looked at together with T. Adler.', true);
    given('convo.password-expiry', 'not_met', 20, 345, 'Passwords never end.');
    given('convo.ip-ranges', 'met', 400, -35, 'Limited to the two offices.');
  }

  #put(instance: string, check: string, given: Partial<Attestation>): Attestation {
    const attestation: Attestation = {
      id: `a-${this.#next++}`,
      standing: 'in_force',
      answer: 'met',
      asked: check,
      recommended: '',
      who: 'a.brandt',
      recorded_by: 'a.brandt',
      at: ago({}),
      note: '',
      valid_until: dayFrom(365),
      remind_from: dayFrom(335),
      remind_days: 30,
      file: null,
      withdrawal: null,
      ...given,
    };
    const key = `${instance}/${check}`;
    this.#given.set(key, [attestation, ...(this.#given.get(key) ?? [])]);
    return attestation;
  }

  /** What the instance stands for, where nobody signs in to it. */
  product(instance: string): { product: string; console_url: string } | undefined {
    return this.#products.get(instance);
  }
  setProduct(instance: string, product: { product: string; console_url: string }): void {
    this.#products.set(instance, product);
  }

  of(instance: Instance): ManualCheck[] {
    const known = (asked[instance.app] ?? []).map(([id, title, severity, recommended, why, steps, place]): ManualCheck =>
      this.#check(instance, { id: `${instance.app}.${id}`, title, severity, recommended, why, steps, own: false, place }),
    );
    const own = (this.#own.get(instance.id) ?? []).map((check) => this.#check(instance, { ...check, own: true, place: '' }));
    const order: AttestationState[] = ['expired', 'withdrawn', 'due', 'due_soon', 'attested'];
    const ranks: Severity[] = ['critical', 'high', 'medium', 'low', 'info'];
    return [...known, ...own].sort(
      (a, b) => order.indexOf(a.state) - order.indexOf(b.state) || ranks.indexOf(a.severity) - ranks.indexOf(b.severity) || a.title.localeCompare(b.title),
    );
  }

  #check(
    instance: Instance,
    facts: { id: string; title: string; severity: Severity; recommended: string; why: string; steps: string[]; own: boolean; place: string },
  ): ManualCheck {
    const today = dayFrom(0);
    const given = this.#given.get(`${instance.id}/${facts.id}`) ?? [];
    const current = given.find(({ withdrawal }) => withdrawal === null) ?? null;
    const otherwise = current !== null && (current.asked !== facts.title || current.recommended !== facts.recommended);
    const history = given.map((one): Attestation => ({
      ...one,
      standing: one.withdrawal ? 'withdrawn' : one !== current ? 'superseded' : otherwise ? 'asked_otherwise' : one.valid_until < today ? 'expired' : 'in_force',
    }));
    const state: AttestationState =
      current === null
        ? given.length > 0
          ? 'withdrawn'
          : 'due'
        : otherwise
          ? 'due'
          : current.valid_until < today
            ? 'expired'
            : current.remind_from <= today
              ? 'due_soon'
              : 'attested';
    return {
      instance: instance.id,
      instance_name: instance.name,
      app: instance.app,
      app_name: instance.app_name,
      sandbox: instance.sandbox,
      check: facts.id,
      title: facts.title,
      severity: facts.severity,
      feature: 'config',
      own: facts.own,
      recommended: facts.recommended,
      why: facts.why,
      steps: facts.steps,
      link: facts.place === '' ? null : { title: facts.place, url: 'https://app.convo.com/' },
      source: facts.own ? '' : 'https://www.convo.com/help/security',
      state,
      current: history.find(({ withdrawal }) => withdrawal === null) ?? null,
      history,
      finding: current?.answer === 'not_met' && state !== 'expired' ? `f-attested-${facts.id}` : null,
      valid_until_default: dayFrom(365),
      valid_until_latest: dayFrom(3 * 365),
      remind_days_default: 30,
    };
  }

  counts(instance: Instance): AttestationCounts {
    const counts: AttestationCounts = { due: 0, attested: 0, due_soon: 0, expired: 0, withdrawn: 0 };
    for (const { state } of this.of(instance)) counts[state] += 1;
    return counts;
  }

  list(rows: ManualCheck[]): AttestationList {
    const counts: AttestationCounts = { due: 0, attested: 0, due_soon: 0, expired: 0, withdrawn: 0 };
    for (const { state } of rows) counts[state] += 1;
    return { counts, rows };
  }

  due(scope: SandboxScope): AttestationList {
    const all = this.#instances().filter((instance) => scope === 'with' || (scope === 'only') === instance.sandbox);
    const { counts, rows } = this.list(all.flatMap((instance) => this.of(instance)));
    return { counts, rows: rows.filter(({ state }) => state !== 'attested') };
  }

  #find(instance: string, check: string): ManualCheck {
    const known = this.#instances().find(({ id }) => id === instance);
    const found = known && this.of(known).find((candidate) => candidate.check === check);
    if (!found) throw failure('E-CHECK-UNKNOWN', 'This manual check is no longer there.', 'Look at the list again.');
    return found;
  }

  attest(given: NewAttestation, file: FileToAttach | null): ManualCheck {
    const check = this.#find(given.instance, given.check);
    if (given.note.trim() === '') throw failure('E-ATTEST-NOTE', 'A note is missing.', 'Write what was seen.', 'note');
    const until = given.valid_until ?? check.valid_until_default;
    if (until < dayFrom(0) || until > check.valid_until_latest) {
      throw failure('E-ATTEST-VALID-UNTIL', 'The last day lies outside what can be chosen.', 'Choose a day within three years.', 'valid_until');
    }
    const days = given.remind_days ?? check.remind_days_default;
    this.#put(given.instance, given.check, {
      answer: given.answer,
      asked: check.title,
      recommended: check.recommended,
      who: given.who.trim() || 'a.brandt',
      note: given.note.trim(),
      valid_until: until,
      remind_from: new Date(Date.parse(until) - days * 86_400_000).toISOString().slice(0, 10),
      remind_days: days,
      file: file ? { name: file.name, media_type: file.media_type, size: Math.floor((file.content.length * 3) / 4), sha256: '0'.repeat(64) } : null,
    });
    return this.#find(given.instance, given.check);
  }

  withdraw(id: string, reason: string): ManualCheck {
    for (const [key, list] of this.#given) {
      const at = list.findIndex((one) => one.id === id);
      const found = list[at];
      if (!found) continue;
      list[at] = { ...found, withdrawal: { who: 'a.brandt', at: ago({}), reason } };
      const [instance = '', check = ''] = key.split(/\/(.*)/s);
      return this.#find(instance, check);
    }
    throw failure('E-ATTESTATION-UNKNOWN', 'This attestation is no longer there.', 'Look at the list again.');
  }

  own(instance: string): OwnCheck[] {
    return this.#own.get(instance) ?? [];
  }

  saveOwn(instance: string, draft: OwnCheckDraft): OwnCheck {
    if (draft.title.trim() === '') throw failure('E-OWN-CHECK', 'A check needs a title.', 'Write it as a statement that is true when it is met.', 'title');
    const check: OwnCheck = { ...draft, id: draft.id ?? `own.${this.#next++}`, title: draft.title.trim(), changed_at: ago({}) };
    const before = this.own(instance);
    this.#own.set(instance, before.some(({ id }) => id === check.id) ? before.map((one) => (one.id === check.id ? check : one)) : [...before, check]);
    return check;
  }

  removeOwn(instance: string, check: string): void {
    this.#own.set(instance, this.own(instance).filter(({ id }) => id !== check));
  }
}

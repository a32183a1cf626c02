import type { Sealed } from './bindings';

/**
 * Secrets on their way to the console and back. They pass through buffers of the web engine that nobody wipes, so they pass
 * as ciphertext: each under a key of its own, agreed between an ephemeral key of either side. The console's side, and the
 * reasons, are in `src-tauri/sealed.rs`.
 */
const curve = { name: 'ECDH', namedCurve: 'P-256' };
const purpose = new TextEncoder().encode('posture-console sealed 1');
// Every key seals one text only, so its nonce need not differ from any other's.
const cipher = { name: 'AES-GCM', iv: new Uint8Array(12) };

type Bytes = Uint8Array<ArrayBuffer>;

const encode = (bytes: Bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
const decode = (text: string): Bytes => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

const pair = () => crypto.subtle.generateKey(curve, false, ['deriveBits']) as Promise<CryptoKeyPair>;
const exported = async (key: CryptoKey): Promise<Bytes> => new Uint8Array(await crypto.subtle.exportKey('raw', key));

/** The key that both sides come to; it depends on both public keys. */
async function agreed(own: CryptoKey, other: Bytes, sealedTo: Bytes, sender: Bytes): Promise<CryptoKey> {
  const theirs = await crypto.subtle.importKey('raw', other, curve, false, []);
  const shared = await crypto.subtle.deriveBits({ name: 'ECDH', public: theirs }, own, 256);
  const material = await crypto.subtle.importKey('raw', shared, 'HKDF', false, ['deriveKey']);
  const info = new Uint8Array([...purpose, ...sealedTo, ...sender]);
  const derivation = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info };
  return crypto.subtle.deriveKey(derivation, material, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
}

/** Seals a text to a key of the console. */
export async function seal(text: string, to: string): Promise<Sealed> {
  const { publicKey, privateKey } = await pair();
  const [sealedTo, sender] = [decode(to), await exported(publicKey)];
  const key = await agreed(privateKey, sealedTo, sealedTo, sender);
  const bytes = new TextEncoder().encode(text);
  const ciphertext = new Uint8Array(await crypto.subtle.encrypt(cipher, key, bytes));
  bytes.fill(0);
  return { sealed_to: to, sender: encode(sender), ciphertext: encode(ciphertext) };
}

/** What one sealed answer is expected under. */
export interface Expected {
  /** The public key to ask for it with. */
  key: string;
  open: (answer: Sealed) => Promise<string>;
}

/** Makes a key for one answer of the console. */
export async function expectAnswer(): Promise<Expected> {
  const { publicKey, privateKey } = await pair();
  const own = await exported(publicKey);
  return {
    key: encode(own),
    async open(answer) {
      const sender = decode(answer.sender);
      const key = await agreed(privateKey, sender, own, sender);
      return new TextDecoder().decode(await crypto.subtle.decrypt(cipher, key, decode(answer.ciphertext)));
    },
  };
}

// Package accounttest plays the browser and its passkey for tests: it answers the
// ceremonies of package account as WebAuthn has them, with real keys and signatures.
package accounttest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"testing"
)

// Authenticator is a device with passkeys, one a person and site. What it gets wrong,
// where a test wants it to, stands in its fields. Its methods may be called
// concurrently once these are set.
type Authenticator struct {
	Origin     string // of the page that asks
	Unverified bool   // the person is there, and not verified
	Stuck      bool   // the counter does not count, as that of a copy would not
	Type       string // of the ceremony in the client data; empty for the right one

	rand io.Reader

	mu   sync.Mutex
	keys []*passkey // guarded by mu
}

type passkey struct {
	id, user []byte
	host     string
	key      *ecdsa.PrivateKey
	count    uint32
}

// New returns a device in a browser that is at an origin.
func New(origin string, rand io.Reader) *Authenticator {
	return &Authenticator{Origin: origin, rand: rand}
}

// Copy returns a second device with the same passkeys, which nobody should have.
func (a *Authenticator) Copy() *Authenticator {
	a.mu.Lock()
	defer a.mu.Unlock()
	b := New(a.Origin, a.rand)
	for _, k := range a.keys {
		again := *k
		b.keys = append(b.keys, &again)
	}
	return b
}

type options struct {
	Challenge string
	RP        struct{ ID string }
	RPID      string
	User      struct{ ID string }

	AllowCredentials, ExcludeCredentials []struct{ ID string }
}

func decode(t testing.TB, text string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatalf("%q is not base64url: %v", text, err)
	}
	return b
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func parse(t testing.TB, raw json.RawMessage) options {
	t.Helper()
	var o options
	if err := json.Unmarshal(raw, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// Create registers a passkey as the options say, and returns what a browser sends.
func (a *Authenticator) Create(t testing.TB, raw json.RawMessage) []byte {
	t.Helper()
	o := parse(t, raw)
	a.mu.Lock()
	defer a.mu.Unlock()
	key, err := ecdsa.GenerateKey(elliptic.P256(), a.rand)
	if err != nil {
		t.Fatal(err)
	}
	k := &passkey{id: make([]byte, 32), user: decode(t, o.User.ID), host: o.RP.ID, key: key}
	if _, err := io.ReadFull(a.rand, k.id); err != nil {
		t.Fatal(err)
	}
	a.keys = append(a.keys, k)
	public, err := key.PublicKey.Bytes() // 0x04, X, Y
	if err != nil {
		t.Fatal(err)
	}
	var cose bytes.Buffer
	cose.WriteByte(0xa5)                     // map of 5
	cose.Write([]byte{0x01, 0x02})           // kty: EC2
	cose.Write([]byte{0x03, 0x26})           // alg: ES256
	cose.Write([]byte{0x20, 0x01})           // crv: P-256
	cose.Write([]byte{0x21, 0x58, 32})       // x
	cose.Write(public[1:33])                 //
	cose.Write([]byte{0x22, 0x58, 32})       // y
	cose.Write(public[33:])                  //
	data := a.authenticatorData(k, 0x40)     // attested credential data follow
	data = append(data, make([]byte, 16)...) // AAGUID: none
	data = binary.BigEndian.AppendUint16(data, uint16(len(k.id)))
	data = append(append(data, k.id...), cose.Bytes()...)

	var object bytes.Buffer
	object.WriteByte(0xa3) // map of 3
	object.WriteString("\x63fmt\x64none")
	object.WriteString("\x67attStmt\xa0")
	object.WriteString("\x68authData\x59")
	object.Write(binary.BigEndian.AppendUint16(nil, uint16(len(data))))
	object.Write(data)
	client := a.clientData("webauthn.create", o.Challenge)
	return a.response(t, k, map[string]any{"clientDataJSON": encode(client), "attestationObject": encode(object.Bytes()), "transports": []string{"internal"}})
}

// Get signs what the options ask with a passkey of that site, and returns what a
// browser sends.
func (a *Authenticator) Get(t testing.TB, raw json.RawMessage) []byte {
	t.Helper()
	o := parse(t, raw)
	a.mu.Lock()
	defer a.mu.Unlock()
	var k *passkey
	for _, one := range a.keys {
		allowed := len(o.AllowCredentials) == 0
		for _, c := range o.AllowCredentials {
			allowed = allowed || c.ID == encode(one.id)
		}
		if allowed && one.host == o.RPID {
			k = one
		}
	}
	if k == nil {
		t.Fatalf("the device has no passkey for %s", o.RPID)
	}
	if !a.Stuck {
		k.count++
	}
	data := a.authenticatorData(k, 0)
	client := a.clientData("webauthn.get", o.Challenge)
	sum := sha256.Sum256(client)
	digest := sha256.Sum256(append(bytes.Clone(data), sum[:]...))
	signature, err := ecdsa.SignASN1(a.rand, k.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return a.response(t, k, map[string]any{
		"clientDataJSON": encode(client), "authenticatorData": encode(data), "signature": encode(signature), "userHandle": encode(k.user),
	})
}

// authenticatorData begins with the digest of the host, flags and counter.
func (a *Authenticator) authenticatorData(k *passkey, flags byte) []byte {
	flags |= 0x01 // the person is there
	if !a.Unverified {
		flags |= 0x04
	}
	sum := sha256.Sum256([]byte(k.host))
	return binary.BigEndian.AppendUint32(append(sum[:], flags), k.count)
}

func (a *Authenticator) clientData(kind, challenge string) []byte {
	if a.Type != "" {
		kind = a.Type
	}
	return fmt.Appendf(nil, `{"type":%q,"challenge":%q,"origin":%q,"crossOrigin":false}`, kind, challenge, a.Origin)
}

func (a *Authenticator) response(t testing.TB, k *passkey, response map[string]any) []byte {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"id": encode(k.id), "rawId": encode(k.id), "type": "public-key", "authenticatorAttachment": "platform", "clientExtensionResults": map[string]any{}, "response": response,
	})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

package dap_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"muster/dap"
)

func TestKeypairSerialise(t *testing.T) {
	t.Parallel()
	for _, suite := range suites {
		k, err := dap.GenerateHpkeKeypair(200, suite)
		if err != nil {
			t.Fatal(err)
		}
		config := k.Config()
		if s, ok := config.Suite(); !ok || s != suite || config.ID != 200 {
			t.Errorf("suite %s, id %d", s, config.ID)
		}
		private := must(k.PrivateBytes())
		again, err := dap.ParseHpkeKeypair(config, private)
		if err != nil || !reflect.DeepEqual(again.Config(), config) || !bytes.Equal(must(again.PrivateBytes()), private) {
			t.Errorf("%s: parsed %v, %v", suite, again, err)
		}
		c := must(dap.SealInputShare(dap.Variant18, config, dap.RoleLeader, goldenInputShareAad(), goldenPlaintext()))
		if _, err := again.OpenInputShare(dap.Variant18, dap.RoleLeader, goldenInputShareAad(), c); err != nil {
			t.Errorf("%s: parsed key: %v", suite, err)
		}
		// The configuration is a copy.
		k.Config().PublicKey[0] ^= 1
		if !bytes.Equal(k.Config().PublicKey, again.Config().PublicKey) {
			t.Errorf("%s: key pair changed through its configuration", suite)
		}
		other, err := dap.GenerateHpkeKeypair(200, suite)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(must(other.PrivateBytes()), private) {
			t.Errorf("%s: two key pairs with one key", suite)
		}
		foreign := config
		foreign.KemID = 0x10
		for name, err := range map[string]error{
			"other's public key": second(dap.ParseHpkeKeypair(other.Config(), private)),
			"short":              second(dap.ParseHpkeKeypair(config, private[:31])),
			"empty":              second(dap.ParseHpkeKeypair(config, nil)),
			"unknown suite":      second(dap.ParseHpkeKeypair(foreign, private)),
		} {
			if err == nil {
				t.Errorf("%s: %s: accepted", suite, name)
				continue
			}
			checkNoSecret(t, name, err.Error(), private)
		}
	}
	if _, err := dap.GenerateHpkeKeypair(1, 0); !errors.Is(err, dap.ErrSuite) {
		t.Errorf("suite 0: %v", err)
	}
	if _, err := dap.DeriveHpkeKeypair(1, 9, counting(0, 32)); !errors.Is(err, dap.ErrSuite) {
		t.Errorf("suite 9: %v", err)
	}
	if _, err := dap.DeriveHpkeKeypair(1, dap.SuiteX25519, counting(0, 31)); err == nil {
		t.Error("secret of 31 bytes accepted")
	}
}

func second[A, B any](_ A, b B) B { return b }

// shows says whether text has secret, or any 8 bytes of it, in a notation that
// fmt or an encoder uses.
func shows(text string, secret []byte) bool {
	lower := strings.ToLower(text)
	for i := 0; i+8 <= len(secret); i++ {
		part := secret[i : i+8]
		decimal := strings.Trim(fmt.Sprint(part), "[]")
		literal := strings.Trim(strings.TrimPrefix(fmt.Sprintf("%#v", part), "[]byte"), "{}")
		for _, form := range []string{string(part), hex.EncodeToString(part), decimal, strings.ReplaceAll(decimal, " ", ","), literal} {
			if strings.Contains(text, form) || strings.Contains(lower, form) {
				return true
			}
		}
	}
	return strings.Contains(text, base64.RawStdEncoding.EncodeToString(secret[:30])) ||
		strings.Contains(text, base64.RawURLEncoding.EncodeToString(secret[:30]))
}

// checkNoSecret fails if text shows secret.
func checkNoSecret(t *testing.T, name, text string, secret []byte) {
	t.Helper()
	if shows(text, secret) {
		t.Errorf("%s shows bytes of the secret: %.200q", name, text)
	}
}

// TestNoSecretPrinted prints key pairs and plaintexts in every way that code
// prints things by accident.
func TestNoSecretPrinted(t *testing.T) {
	t.Parallel()
	// The check must find what it looks for.
	secret := counting(1, 32)
	for _, text := range []string{
		fmt.Sprintf("%v", struct{ b []byte }{secret}), fmt.Sprintf("%#v", secret), fmt.Sprintf("%X", secret), string(secret),
		string(must(json.Marshal(secret))), base64.RawURLEncoding.EncodeToString(secret),
	} {
		if !shows(text, secret) {
			t.Fatalf("not found in %q", text)
		}
	}
	for _, suite := range suites {
		k := keypair(t, 8, suite)
		share := dap.PlaintextInputShare{Payload: must(k.PrivateBytes())}
		subjects := map[string]any{
			"pointer": k, "value": *k, "slice": []*dap.HpkeKeypair{k}, "values": []dap.HpkeKeypair{*k},
			"exported field": struct{ K *dap.HpkeKeypair }{k}, "unexported field": struct{ k *dap.HpkeKeypair }{k},
			"unexported value": struct{ k dap.HpkeKeypair }{*k}, "map": map[string]dap.HpkeKeypair{"k": *k},
			"share": share, "share pointer": &share, "share field": struct{ P dap.PlaintextInputShare }{share},
		}
		for name, subject := range subjects {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
				checkNoSecret(t, name+" "+verb, fmt.Sprintf(verb, subject), share.Payload)
			}
			var log bytes.Buffer
			slog.New(slog.NewTextHandler(&log, nil)).Info("x", "subject", subject)
			checkNoSecret(t, name+" slog text", log.String(), share.Payload)
			if strings.Contains(name, "share field") {
				continue // encoding/json is for those who mean it
			}
			log.Reset()
			slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "subject", subject)
			checkNoSecret(t, name+" slog JSON", log.String(), share.Payload)
			if strings.HasPrefix(name, "share") {
				continue
			}
			encoded, err := json.Marshal(subject)
			checkNoSecret(t, name+" JSON", string(encoded)+fmt.Sprint(err), share.Payload)
		}
		if got, want := fmt.Sprint(k), "HpkeKeypair(8, "+suite.String()+")"; got != want {
			t.Errorf("prints as %q, want %q", got, want)
		}
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	classic, hybrid := keypair(t, 1, dap.SuiteX25519).Config(), keypair(t, 2, dap.SuiteMLKEM768X25519).Config()
	foreign := dap.HpkeConfig{ID: 3, KemID: 0x10, KdfID: 1, AeadID: 1, PublicKey: []byte{4}}
	if len(hybrid.PublicKey) != 1216 || len(classic.PublicKey) != 32 {
		t.Errorf("public keys of %d and %d bytes", len(hybrid.PublicKey), len(classic.PublicKey))
	}
	list := dap.HpkeConfigList{foreign, hybrid, classic}
	tests := []struct {
		name    string
		list    dap.HpkeConfigList
		allowed []dap.Suite
		want    uint8 // 0 for none
	}{
		{"first of both", list, suites, 2},
		{"the mandatory one", list, []dap.Suite{dap.SuiteX25519}, 1},
		{"none allowed", list, nil, 0},
		{"none supported", dap.HpkeConfigList{foreign}, suites, 0},
	}
	for _, test := range tests {
		got, err := test.list.Choose(test.allowed...)
		if got.ID != test.want || (err == nil) != (test.want != 0) || err != nil && !errors.Is(err, dap.ErrSuite) {
			t.Errorf("%s: %d, %v; want %d", test.name, got.ID, err, test.want)
		}
	}
}

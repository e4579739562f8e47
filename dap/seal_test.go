package dap_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hpke"
	"errors"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"muster/dap"
)

// keypair returns the key pair that is fixed for a test.
func keypair(tb testing.TB, id uint8, suite dap.Suite) *dap.HpkeKeypair {
	tb.Helper()
	k, err := dap.DeriveHpkeKeypair(id, suite, counting(id, 32))
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

var suites = []dap.Suite{dap.SuiteX25519, dap.SuiteMLKEM768X25519}

// goldenKeypair reads the key pair of a file in testdata/hpke.
func goldenKeypair(t *testing.T, file string, id uint8, kem uint16) *dap.HpkeKeypair {
	t.Helper()
	k, err := dap.ParseHpkeKeypair(dap.HpkeConfig{
		ID: id, KemID: kem, KdfID: 1, AeadID: 1, PublicKey: readHex(t, file, "public key"),
	}, readHex(t, file, "private key"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestOpenGolden opens shares that another implementation sealed, with info
// and AAD put together here byte by byte.
func TestOpenGolden(t *testing.T) {
	t.Parallel()
	plaintext := cat(vec16(cat(u16(0x18), vec16([]byte{9}))), vec32([]byte{0xc0, 0xc1, 0xc2, 0xc3}))
	task := cat(goldenTask[:],
		vec8([]byte{0xd0, 0xd1}), vec16([]byte("https://a.example/dap")), vec16([]byte("https://b.example/")),
		u64(604800), u64(22), []byte{1}, vec16(nil), []byte{0xff, 0xff, 0, 1}, vec16([]byte{0, 0, 0, 18, 0, 4, 0, 5, 0, 106}),
		vec16(cat(u16(1), vec16(cat(u64(2870), u64(8))))))
	inputAad := cat(task, counting(0, 16), u64(2872), vec16(cat(u16(0x17), vec16([]byte{1, 2, 3}), u16(0x2a), vec16(nil))), vec32(goldenPublic))
	aggregateAad := cat(task, []byte{1}, vec16(cat(u64(2872), u64(5))), vec32([]byte{0x99}), vec16(cat(u16(0x31), vec16([]byte{5}))))

	for _, suite := range []struct {
		name  string
		kemID uint16
		kem   hpke.KEM
	}{{"x25519", 0x0020, hpke.DHKEM(ecdh.X25519())}, {"mlkem768x25519", 0x647a, hpke.MLKEM768X25519()}} {
		for _, what := range []string{"input-share", "aggregate-share"} {
			t.Run(suite.name+"/"+what, func(t *testing.T) {
				t.Parallel()
				file := "hpke/" + suite.name + "-" + what + ".hex"
				k := goldenKeypair(t, file, 5, suite.kemID)
				c := dap.HpkeCiphertext{ConfigID: 5, Enc: readHex(t, file, "enc"), Payload: readHex(t, file, "payload")}

				info, aad, want := "dap-18 input share\x01\x03", inputAad, plaintext
				if what == "aggregate-share" {
					info, aad, want = "dap-18 aggregate share\x02\x00", aggregateAad, counting(0, 48)
				}
				private, err := suite.kem.NewPrivateKey(readHex(t, file, "private key"))
				if err != nil {
					t.Fatal(err)
				}
				recipient, err := hpke.NewRecipient(c.Enc, private, hpke.HKDFSHA256(), hpke.AES128GCM(), []byte(info))
				if err != nil {
					t.Fatal(err)
				}
				got, err := recipient.Open(aad, c.Payload)
				if err != nil || !bytes.Equal(got, want) {
					t.Fatalf("crypto/hpke with info and AAD by hand: %x, %v", got, err)
				}

				if what == "aggregate-share" {
					share, err := k.OpenAggregateShare(dap.Variant18, dap.RoleLeader, goldenAggregateShareAad(), c)
					if err != nil || !bytes.Equal(share, want) {
						t.Errorf("OpenAggregateShare = %x, %v", share, err)
					}
					return
				}
				p, err := k.OpenInputShare(dap.Variant18, dap.RoleHelper, goldenInputShareAad(), c)
				if err != nil || !reflect.DeepEqual(p, goldenPlaintext()) {
					t.Errorf("OpenInputShare = %#v, %v", p.Payload, err)
				}
			})
		}
	}
}

// TestSealInfo opens what this package seals with info and AAD by hand.
func TestSealInfo(t *testing.T) {
	t.Parallel()
	k := keypair(t, 9, dap.SuiteX25519)
	private := must(hpke.DHKEM(ecdh.X25519()).NewPrivateKey(must(k.PrivateBytes())))
	for _, v := range []dap.Variant{dap.Variant18, dap.Variant19} {
		for role, octet := range map[dap.Role]string{dap.RoleLeader: "\x02", dap.RoleHelper: "\x03"} {
			c, err := dap.SealInputShare(v, k.Config(), role, goldenInputShareAad(), goldenPlaintext())
			if err != nil || c.ConfigID != 9 {
				t.Fatalf("config %d, %v", c.ConfigID, err)
			}
			r := must(hpke.NewRecipient(c.Enc, private, hpke.HKDFSHA256(), hpke.AES128GCM(), []byte(v.Tag()+" input share\x01"+octet)))
			if p, err := r.Open(readHex(t, "golden/InputShareAad.hex", ""), c.Payload); err != nil || !bytes.Equal(p, readHex(t, "golden/PlaintextInputShare.hex", "")) {
				t.Errorf("%s, %s: input share: %x, %v", v, role, p, err)
			}
			c, err = dap.SealAggregateShare(v, k.Config(), role, goldenAggregateShareAad(), []byte("share"))
			if err != nil {
				t.Fatal(err)
			}
			r = must(hpke.NewRecipient(c.Enc, private, hpke.HKDFSHA256(), hpke.AES128GCM(), []byte(v.Tag()+" aggregate share"+octet+"\x00")))
			if p, err := r.Open(readHex(t, "golden/AggregateShareAad.hex", ""), c.Payload); err != nil || string(p) != "share" {
				t.Errorf("%s, %s: aggregate share: %x, %v", v, role, p, err)
			}
		}
	}
}

// TestSealRoundTrip seals and opens any share.
func TestSealRoundTrip(t *testing.T) {
	t.Parallel()
	for _, suite := range suites {
		k, err := dap.GenerateHpkeKeypair(77, suite)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(suite.String(), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				v := rapid.SampledFrom([]dap.Variant{0, dap.Variant18, dap.Variant19}).Draw(t, "variant")
				role := rapid.SampledFrom([]dap.Role{dap.RoleLeader, dap.RoleHelper}).Draw(t, "role")
				aad, p := randomInputShareAad(t, v), randomPlaintext(t, v)
				task := must(dap.NewTaskAad(v, aad.TaskID, aad.TaskConfiguration))
				report := must(task.Report(aad.ReportMetadata, aad.PublicShare))

				// Sealed with the structure, opened with the prefix.
				c := must(dap.SealInputShare(v, k.Config(), role, aad, p))
				got, err := report.Open(k, role, c)
				if err != nil || !equal(got, p) {
					t.Fatalf("got %x, %v", got.Payload, err)
				}
				// And the other way round.
				c = must(report.Seal(k.Config(), role, p))
				got, err = k.OpenInputShare(v, role, aad, c)
				if err != nil || !equal(got, p) {
					t.Fatalf("got %x, %v", got.Payload, err)
				}

				collection := randomAggregateShareAad(t, v)
				task = must(dap.NewTaskAad(v, collection.TaskID, collection.TaskConfiguration))
				bound := must(task.Collection(collection.CollectionJobReq))
				c = must(dap.SealAggregateShare(v, k.Config(), role, collection, p.Payload))
				if share, err := bound.Open(k, role, c); err != nil || !bytes.Equal(share, p.Payload) {
					t.Fatalf("got %x, %v", share, err)
				}
				c = must(bound.Seal(k.Config(), role, p.Payload))
				if share, err := k.OpenAggregateShare(v, role, collection, c); err != nil || !bytes.Equal(share, p.Payload) {
					t.Fatalf("got %x, %v", share, err)
				}
			})
		})
	}
}

// TestOpenGarbage seals bytes that are no PlaintextInputShare.
func TestOpenGarbage(t *testing.T) {
	t.Parallel()
	k := keypair(t, 1, dap.SuiteX25519)
	public := must(hpke.DHKEM(ecdh.X25519()).NewPublicKey(k.Config().PublicKey))
	for name, plaintext := range map[string][]byte{
		"empty": nil, "no payload": cat(vec16(nil), vec32(nil)), "trailing": cat(vec16(nil), vec32([]byte{1}), []byte{0}),
		"unsorted": cat(vec16(cat(u16(2), u16(0), u16(1), u16(0))), vec32([]byte{1})),
		"large":    cat(vec16(nil), vec32(make([]byte, dap.MaxMessageSize-5))),
	} {
		enc, sender, err := hpke.NewSender(public, hpke.HKDFSHA256(), hpke.AES128GCM(), []byte("dap-18 input share\x01\x02"))
		if err != nil {
			t.Fatal(err)
		}
		payload := must(sender.Seal(readHex(t, "golden/InputShareAad.hex", ""), plaintext))
		_, err = k.OpenInputShare(dap.Variant18, dap.RoleLeader, goldenInputShareAad(), dap.HpkeCiphertext{ConfigID: 1, Enc: enc, Payload: payload})
		if e, ok := errors.AsType[*dap.FormatError](err); !ok || e.Message != "PlaintextInputShare" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSealRefuses has what cannot be sealed.
func TestSealRefuses(t *testing.T) {
	t.Parallel()
	good := keypair(t, 1, dap.SuiteX25519).Config()
	with := func(change func(*dap.HpkeConfig)) dap.HpkeConfig {
		c := good
		change(&c)
		return c
	}
	for name, config := range map[string]dap.HpkeConfig{
		"zero":        {},
		"KEM":         with(func(c *dap.HpkeConfig) { c.KemID = 0x10 }),
		"KDF":         with(func(c *dap.HpkeConfig) { c.KdfID = 2 }),
		"AEAD":        with(func(c *dap.HpkeConfig) { c.AeadID = 2 }),
		"export only": with(func(c *dap.HpkeConfig) { c.AeadID = 0xffff }),
		"short key":   with(func(c *dap.HpkeConfig) { c.PublicKey = c.PublicKey[:31] }),
		"other key":   with(func(c *dap.HpkeConfig) { c.KemID = 0x647a }),
		"low order":   with(func(c *dap.HpkeConfig) { c.PublicKey = make([]byte, 32) }),
	} {
		if _, err := dap.SealInputShare(dap.Variant18, config, dap.RoleLeader, goldenInputShareAad(), goldenPlaintext()); !errors.Is(err, dap.ErrSuite) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, role := range []dap.Role{dap.RoleCollector, dap.RoleClient, 4} {
		if _, err := dap.SealInputShare(dap.Variant18, good, role, goldenInputShareAad(), goldenPlaintext()); err == nil {
			t.Errorf("input share for %s", role)
		}
		if _, err := dap.SealAggregateShare(dap.Variant18, good, role, goldenAggregateShareAad(), nil); err == nil {
			t.Errorf("aggregate share by %s", role)
		}
	}
	if _, err := dap.SealInputShare(dap.Variant18, good, dap.RoleLeader, goldenInputShareAad(), dap.PlaintextInputShare{}); !errors.Is(err, dap.ErrMalformed) {
		t.Errorf("empty plaintext: %v", err)
	}
	if _, err := dap.SealInputShare(20, good, dap.RoleLeader, goldenInputShareAad(), goldenPlaintext()); !errors.Is(err, dap.ErrMalformed) {
		t.Errorf("unknown variant: %v", err)
	}
	if _, err := dap.NewTaskAad(20, goldenTask, goldenTaskConfiguration()); !errors.Is(err, dap.ErrMalformed) {
		t.Errorf("unknown variant of task: %v", err)
	}
	if _, err := dap.NewTaskAad(dap.Variant18, goldenTask, dap.TaskConfiguration{}); !errors.Is(err, dap.ErrMalformed) {
		t.Errorf("empty configuration: %v", err)
	}
	task := must(dap.NewTaskAad(dap.Variant18, goldenTask, goldenTaskConfiguration()))
	if _, err := task.Report(dap.ReportMetadata{PublicExtensions: []dap.Extension{{}}}, nil); !errors.Is(err, dap.ErrExtension) {
		t.Errorf("reserved extension: %v", err)
	}
	if _, err := task.Report(dap.ReportMetadata{}, make([]byte, dap.MaxEnvelopeSize)); !errors.Is(err, dap.ErrLimit) {
		t.Errorf("large public share: %v", err)
	}
	if _, err := task.Collection(dap.CollectionJobReq{}); !errors.Is(err, dap.ErrMalformed) {
		t.Errorf("empty collection: %v", err)
	}
}

// TestTaskAadShared uses one TaskAad for two reports: neither may change the
// other's associated data.
func TestTaskAadShared(t *testing.T) {
	t.Parallel()
	k := keypair(t, 1, dap.SuiteX25519)
	task := must(dap.NewTaskAad(dap.Variant18, goldenTask, goldenTaskConfiguration()))
	if task.Variant() != dap.Variant18 || task.TaskID() != goldenTask {
		t.Errorf("task %s of %s", task.TaskID(), task.Variant())
	}
	metadata := goldenMetadata()
	first := must(task.Report(metadata, goldenPublic))
	sealed := must(dap.SealInputShare(dap.Variant18, k.Config(), dap.RoleLeader, goldenInputShareAad(), goldenPlaintext()))
	metadata.ReportID[0] ^= 0xff
	second := must(task.Report(metadata, []byte{1}))
	if _, err := first.Open(k, dap.RoleLeader, sealed); err != nil {
		t.Errorf("first: %v", err)
	}
	if _, err := second.Open(k, dap.RoleLeader, sealed); !errors.Is(err, dap.ErrDecrypt) {
		t.Errorf("first as second: %v", err)
	}
	collection := must(task.Collection(goldenCollection()))
	total := must(dap.SealAggregateShare(dap.Variant18, k.Config(), dap.RoleLeader, goldenAggregateShareAad(), []byte("share")))
	must(task.Report(metadata, make([]byte, 200)))
	if _, err := collection.Open(k, dap.RoleLeader, total); err != nil {
		t.Errorf("collection: %v", err)
	}
}

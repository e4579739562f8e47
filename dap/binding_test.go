package dap_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"muster/dap"
)

// A change makes one thing different.
type change[T any] struct {
	name  string
	apply func(*T)
}

// fieldChanges has at least one change for each field of T, by name, or fails.
func fieldChanges[T any](tb testing.TB, byField map[string][]change[T]) []change[T] {
	tb.Helper()
	typ := reflect.TypeFor[T]()
	var all []change[T]
	for i := range typ.NumField() {
		name := typ.Field(i).Name
		if len(byField[name]) == 0 {
			tb.Errorf("%s.%s: no change of it is tested", typ.Name(), name)
		}
		for _, c := range byField[name] {
			all = append(all, change[T]{strings.TrimSuffix(typ.Name()+"."+name+"/"+c.name, "/"), c.apply})
		}
		delete(byField, name)
	}
	for name := range byField {
		tb.Errorf("%s has no field %s", typ.Name(), name)
	}
	return all
}

func only[T any](apply func(*T)) []change[T] { return []change[T]{{"", apply}} }

// taskChanges changes every field of a task configuration; each result is
// still valid, but for BatchConfig, which has one value only.
func taskChanges(tb testing.TB) []change[dap.TaskConfiguration] {
	type cfg = dap.TaskConfiguration
	return fieldChanges(tb, map[string][]change[cfg]{
		"TaskInfo": {
			{"other byte", func(c *cfg) { c.TaskInfo = []byte{0xd0, 0xd2} }},
			{"longer", func(c *cfg) { c.TaskInfo = []byte{0xd0, 0xd1, 0} }},
		},
		"LeaderAggregatorEndpoint": {
			{"slash", func(c *cfg) { c.LeaderAggregatorEndpoint += "/" }},
			{"case", func(c *cfg) { c.LeaderAggregatorEndpoint = "https://A.example/dap" }},
			{"exchanged with the Helper's", func(c *cfg) {
				c.LeaderAggregatorEndpoint, c.HelperAggregatorEndpoint = c.HelperAggregatorEndpoint, c.LeaderAggregatorEndpoint
			}},
		},
		"HelperAggregatorEndpoint": only(func(c *cfg) { c.HelperAggregatorEndpoint = "https://b.example" }),
		"TimePrecision":            only(func(c *cfg) { c.TimePrecision++ }),
		"MinBatchSize":             only(func(c *cfg) { c.MinBatchSize-- }),
		"BatchMode":                only(func(c *cfg) { c.BatchMode = dap.BatchModeLeaderSelected }),
		"BatchConfig":              only(func(c *cfg) { c.BatchConfig = []byte{0} }),
		"VdafType":                 only(func(c *cfg) { c.VdafType++ }),
		"VdafConfiguration": {
			{"other byte", func(c *cfg) { c.VdafConfiguration = []byte{0, 0, 0, 18, 0, 4, 0, 5, 0, 107} }},
			{"none", func(c *cfg) { c.VdafConfiguration = nil }},
		},
		"Extensions": {
			{"none", func(c *cfg) { c.Extensions = nil }},
			{"other interval", func(c *cfg) {
				c.Extensions = []dap.Extension{must(dap.NewTaskInterval(dap.Interval{Start: 2870, Duration: 9}))}
			}},
			{"one more", func(c *cfg) { c.Extensions = append(slices.Clone(c.Extensions), dap.Extension{Type: 2}) }},
			{"other type", func(c *cfg) { c.Extensions = []dap.Extension{{Type: 2, Data: c.Extensions[0].Data}} }},
		},
	})
}

func metadataChanges(tb testing.TB) []change[dap.ReportMetadata] {
	type meta = dap.ReportMetadata
	return fieldChanges(tb, map[string][]change[meta]{
		"ReportID": only(func(m *meta) { m.ReportID[15] ^= 1 }),
		"Time":     only(func(m *meta) { m.Time++ }),
		"PublicExtensions": {
			{"none", func(m *meta) { m.PublicExtensions = nil }},
			{"one less", func(m *meta) { m.PublicExtensions = m.PublicExtensions[:1] }},
			{"one more", func(m *meta) {
				m.PublicExtensions = append(slices.Clone(m.PublicExtensions), dap.Extension{Type: 0x2b})
			}},
			{"other type", func(m *meta) {
				m.PublicExtensions = slices.Clone(m.PublicExtensions)
				m.PublicExtensions[0].Type = 0x18
			}},
			{"other data", func(m *meta) {
				m.PublicExtensions = slices.Clone(m.PublicExtensions)
				m.PublicExtensions[1].Data = []byte{0}
			}},
		},
	})
}

// within turns the changes of a part into changes of the whole.
func within[T, P any](changes []change[P], part func(*T) *P) []change[T] {
	var all []change[T]
	for _, c := range changes {
		all = append(all, change[T]{c.name, func(t *T) { c.apply(part(t)) }})
	}
	return all
}

// TestInputShareBinding changes, one at a time, everything that an input share
// is bound to: it must not open.
func TestInputShareBinding(t *testing.T) {
	t.Parallel()
	type aad = dap.InputShareAad
	changes := fieldChanges(t, map[string][]change[aad]{
		"TaskID":            only(func(a *aad) { a.TaskID[0] ^= 0x80 }),
		"TaskConfiguration": within(taskChanges(t), func(a *aad) *dap.TaskConfiguration { return &a.TaskConfiguration }),
		"ReportMetadata":    within(metadataChanges(t), func(a *aad) *dap.ReportMetadata { return &a.ReportMetadata }),
		"PublicShare": {
			{"other byte", func(a *aad) { a.PublicShare = []byte{0xb0, 0xb1, 0xb3} }},
			{"none", func(a *aad) { a.PublicShare = nil }},
		},
	})
	for _, suite := range suites {
		k := keypair(t, 3, suite)
		c, err := dap.SealInputShare(dap.Variant18, k.Config(), dap.RoleLeader, goldenInputShareAad(), goldenPlaintext())
		if err != nil {
			t.Fatal(err)
		}
		open := func(v dap.Variant, role dap.Role, a aad, c dap.HpkeCiphertext) error {
			_, err := k.OpenInputShare(v, role, a, c)
			return err
		}
		if err := open(dap.Variant18, dap.RoleLeader, goldenInputShareAad(), c); err != nil {
			t.Fatalf("unchanged: %v", err)
		}
		for _, change := range changes {
			t.Run(suite.String()+"/"+change.name, func(t *testing.T) {
				t.Parallel()
				a := goldenInputShareAad()
				change.apply(&a)
				if reflect.DeepEqual(a, goldenInputShareAad()) {
					t.Fatal("the change changes nothing")
				}
				err := open(dap.Variant18, dap.RoleLeader, a, c)
				if errors.Is(err, dap.ErrMalformed) && len(a.TaskConfiguration.BatchConfig) > 0 {
					return // has no encoding at all
				}
				if !errors.Is(err, dap.ErrDecrypt) {
					t.Errorf("opens: %v", err)
				}
			})
		}
		checkCiphertextBinding(t, k, suite, c, func(v dap.Variant, role dap.Role, c dap.HpkeCiphertext, k *dap.HpkeKeypair) error {
			_, err := k.OpenInputShare(v, role, goldenInputShareAad(), c)
			return err
		})
	}
}

// TestAggregateShareBinding does the same for aggregate shares.
func TestAggregateShareBinding(t *testing.T) {
	t.Parallel()
	type aad = dap.AggregateShareAad
	type req = dap.CollectionJobReq
	requests := fieldChanges(t, map[string][]change[req]{
		"Query": {
			{"interval", func(r *req) { r.Query = must(dap.NewTimeIntervalQuery(dap.Interval{Start: 2872, Duration: 6})) }},
			{"mode", func(r *req) { r.Query = dap.Query{BatchMode: dap.BatchModeLeaderSelected} }},
		},
		"AggParam": only(func(r *req) { r.AggParam = nil }),
		"Extensions": {
			{"none", func(r *req) { r.Extensions = nil }},
			{"other data", func(r *req) { r.Extensions = []dap.Extension{{Type: 0x31, Data: []byte{6}}} }},
		},
	})
	changes := fieldChanges(t, map[string][]change[aad]{
		"TaskID":            only(func(a *aad) { a.TaskID[31] ^= 1 }),
		"TaskConfiguration": within(taskChanges(t), func(a *aad) *dap.TaskConfiguration { return &a.TaskConfiguration }),
		"CollectionJobReq":  within(requests, func(a *aad) *req { return &a.CollectionJobReq }),
	})
	k := keypair(t, 4, dap.SuiteX25519)
	c, err := dap.SealAggregateShare(dap.Variant18, k.Config(), dap.RoleLeader, goldenAggregateShareAad(), []byte("share"))
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range changes {
		t.Run(change.name, func(t *testing.T) {
			t.Parallel()
			a := goldenAggregateShareAad()
			change.apply(&a)
			if reflect.DeepEqual(a, goldenAggregateShareAad()) {
				t.Fatal("the change changes nothing")
			}
			_, err := k.OpenAggregateShare(dap.Variant18, dap.RoleLeader, a, c)
			if errors.Is(err, dap.ErrMalformed) && len(a.TaskConfiguration.BatchConfig) > 0 {
				return // has no encoding at all
			}
			if !errors.Is(err, dap.ErrDecrypt) {
				t.Errorf("opens: %v", err)
			}
		})
	}
	checkCiphertextBinding(t, k, dap.SuiteX25519, c, func(v dap.Variant, role dap.Role, c dap.HpkeCiphertext, k *dap.HpkeKeypair) error {
		_, err := k.OpenAggregateShare(v, role, goldenAggregateShareAad(), c)
		return err
	})
	// An input share is no aggregate share, even with the same AAD and key.
	if _, err := k.OpenInputShare(dap.Variant18, dap.RoleLeader, goldenInputShareAad(), c); !errors.Is(err, dap.ErrDecrypt) {
		t.Errorf("aggregate share opened as input share: %v", err)
	}
}

// checkCiphertextBinding changes variant, role, key and the ciphertext, which
// was sealed under dap-18 for (or by) the Leader.
func checkCiphertextBinding(t *testing.T, k *dap.HpkeKeypair, suite dap.Suite, c dap.HpkeCiphertext,
	open func(dap.Variant, dap.Role, dap.HpkeCiphertext, *dap.HpkeKeypair) error,
) {
	t.Helper()
	expect := func(name string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	expect("unchanged", open(dap.Variant18, dap.RoleLeader, c, k), nil)
	expect("variant", open(dap.Variant19, dap.RoleLeader, c, k), dap.ErrDecrypt)
	expect("role", open(dap.Variant18, dap.RoleHelper, c, k), dap.ErrDecrypt)
	for _, role := range []dap.Role{dap.RoleCollector, dap.RoleClient, 4} {
		if err := open(dap.Variant18, role, c, k); err == nil || errors.Is(err, dap.ErrDecrypt) {
			t.Errorf("%s: %v", role, err)
		}
	}
	if err := open(20, dap.RoleLeader, c, k); err == nil {
		t.Error("unknown variant")
	}
	other := must(dap.DeriveHpkeKeypair(k.Config().ID, suite, counting(99, 32)))
	expect("key", open(dap.Variant18, dap.RoleLeader, c, other), dap.ErrDecrypt)
	changed := c
	changed.ConfigID++
	expect("config", open(dap.Variant18, dap.RoleLeader, changed, k), dap.ErrUnknownConfigID)
	for i := 0; i < len(c.Enc); i += 1 + len(c.Enc)/32 {
		changed := c
		changed.Enc = bytes.Clone(c.Enc)
		changed.Enc[i] ^= 1
		expect(fmt.Sprintf("enc byte %d", i), open(dap.Variant18, dap.RoleLeader, changed, k), dap.ErrDecrypt)
	}
	for i := range c.Payload {
		changed := c
		changed.Payload = bytes.Clone(c.Payload)
		changed.Payload[i] ^= 1
		expect(fmt.Sprintf("payload byte %d", i), open(dap.Variant18, dap.RoleLeader, changed, k), dap.ErrDecrypt)
		changed.Payload = c.Payload[:i]
		expect(fmt.Sprintf("payload of %d", i), open(dap.Variant18, dap.RoleLeader, changed, k), dap.ErrDecrypt)
	}
	for _, enc := range [][]byte{nil, c.Enc[:len(c.Enc)-1], append(bytes.Clone(c.Enc), 0), make([]byte, len(c.Enc))} {
		changed := c
		changed.Enc = enc
		expect(fmt.Sprintf("enc of %d bytes", len(enc)), open(dap.Variant18, dap.RoleLeader, changed, k), dap.ErrDecrypt)
	}
}

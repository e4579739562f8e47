package coalition

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"muster/dap"
	"muster/internal/errs"
	"muster/internal/keys"
)

const charterKind = "muster charter v1"

// maxColluders is how many colluding members a charter may reckon with; with more
// nothing could be shown of any coalition that meets.
const maxColluders = 100

// Charter defines a cycle: what is asked, of whom, by when, who adds it up, and
// from how many members on anything is opened. It is signed by the coordinator
// and both hosts, and never changes: a postponement is an addendum beside it.
type Charter struct {
	Kind        string          `json:"kind"`
	Coalition   string          `json:"coalition"`
	Cycle       string          `json:"cycle"`             // "2026"
	Marking     string          `json:"marking,omitempty"` // [MarkingSynthetic] or [MarkingRehearsal] where that is so
	Framework   FrameworkRef    `json:"framework"`
	Layout      json.RawMessage `json:"layout"` // canonical; its SHA-256 is the task_info of every task
	Cohorts     []Cohort        `json:"cohorts"`
	Leader      Host            `json:"leader"`
	Helper      Host            `json:"helper"`
	Coordinator Coordinator     `json:"coordinator"`
	SeedDigest  string          `json:"seed_digest"` // hex SHA-256 of the hosts' seed
	Opens       int64           `json:"opens"`       // these three in seconds since 1970
	Deadline    int64           `json:"deadline"`    // enforced by the freeze
	Wipe        int64           `json:"wipe"`        // when the keys of the cycle are destroyed
	Witnesses   WitnessPolicy   `json:"witnesses"`
	Releases    []string        `json:"releases"` // the cohorts of which a release is planned
	Disclosure  Disclosure      `json:"disclosure,omitzero"`
}

// Disclosure is what of disclosure control is a coalition's to choose. It is fixed
// before anything is opened, so that choosing says nothing of the answers. The
// zero value is the usual choice.
type Disclosure struct {
	Colluders int  `json:"colluders"` // how many members may tell each other everything, besides the hosts
	Lowest    bool `json:"lowest"`    // an area's lowest level is shown instead of its change
	Target    bool `json:"target"`    // an outcome's targets are shown instead of levels against targets
}

// FrameworkRef names a framework exactly.
type FrameworkRef struct {
	ID      string `json:"id"`
	Version string `json:"version"`
	Digest  string `json:"digest"` // hex SHA-256 of the pack's canonical form
}

// Cohort is a group of members that is added up: a DAP task of its own.
type Cohort struct {
	ID             string   `json:"id"`
	Members        []Member `json:"members"` // by id; their number is N
	MinimumBatch   int      `json:"minimum_batch"`
	ReleaseMinimum int      `json:"release_minimum"`
	Task           Task     `json:"task"`
}

// Member is a member and the key with which it signs receipts this cycle.
type Member struct {
	ID  MemberID    `json:"id"`
	Key keys.Public `json:"key"`
}

// Host is one of the two co-organisers. Its address is the endpoint in the task
// configuration.
type Host struct {
	Member      MemberID    `json:"member"`
	Key         keys.Public `json:"key"`
	HPKE        string      `json:"hpke_configs"`          // base64url of its HpkeConfigList
	Certificate string      `json:"certificate,omitempty"` // the pinned TLS key, see [Pin]; empty where no network is between
}

// Coordinator is the standing staff: the DAP Collector.
type Coordinator struct {
	Key         keys.Public `json:"key"`
	HPKE        string      `json:"hpke_config"`           // base64url of its HpkeConfig
	Certificate string      `json:"certificate,omitempty"` // as in [Host]
}

// Pin returns the form in which the charter pins a TLS key: the hex SHA-256 of
// the SubjectPublicKeyInfo of the certificate, so that a certificate may be
// renewed and a key may not be exchanged.
func Pin(subjectPublicKeyInfo []byte) string {
	digest := sha256.Sum256(subjectPublicKeyInfo)
	return hex.EncodeToString(digest[:])
}

// Task is the DAP task of a cohort.
type Task struct {
	ID            string `json:"id"`            // base64url
	Variant       string `json:"variant"`       // "dap-18"
	Configuration string `json:"configuration"` // base64url of the TaskConfiguration
}

// WitnessPolicy says how many of which witnesses must have cosigned a
// checkpoint of the ledger. No witness at all is legal in a rehearsal only, see
// [Charter.RequireWitness].
type WitnessPolicy struct {
	Threshold int           `json:"threshold"`
	Keys      []keys.Public `json:"keys"`          // in either form, see [keys.Public.Cosigner]
	Log       keys.Public   `json:"log,omitempty"` // of the ledger; empty where a charter does not say
}

// SignedCharter is a charter as it is kept: its canonical bytes and the note
// with three signatures.
type SignedCharter struct {
	Body      []byte
	Signature []byte
}

// Sign checks the charter and returns it with the signatures of all three.
func (c Charter) Sign(coordinator, leader, helper *keys.Signer) (SignedCharter, error) {
	signed, err := c.sign(coordinator, leader, helper)
	if err != nil {
		return SignedCharter{}, err
	}
	// The charter that members open must be the one meant, with the right keys.
	if _, err := signed.Open(); err != nil {
		return SignedCharter{}, fmt.Errorf("the charter as signed: %w", err)
	}
	return signed, nil
}

func (c Charter) sign(signers ...*keys.Signer) (SignedCharter, error) {
	c.Kind = charterKind
	if err := c.Check(); err != nil {
		return SignedCharter{}, err
	}
	body, err := keys.Canonical(c)
	if err != nil {
		return SignedCharter{}, err
	}
	sig, err := keys.Sign(keys.KindCharter, body, signers...)
	return SignedCharter{Body: body, Signature: sig}, err
}

// Open reads and checks a charter and its three signatures. The keys are the
// charter's own: whoever opens a charter for the first time compares them out
// of band.
func (s SignedCharter) Open() (Charter, error) {
	c, err := s.Read()
	if err != nil {
		return Charter{}, err
	}
	if err := keys.Verify(keys.KindCharter, s.Body, s.Signature, c.Coordinator.Key, c.Leader.Key, c.Helper.Key); err != nil {
		return Charter{}, err
	}
	return c, nil
}

// Digest returns SHA-256 of the charter's canonical bytes, in hex.
func (s SignedCharter) Digest() string {
	digest := sha256.Sum256(s.Body)
	return hex.EncodeToString(digest[:])
}

// Check holds the invariants of a charter: what a member relies on when it
// seals, and a host when it serves.
func (c Charter) Check() error {
	invalid := func(format string, args ...any) error {
		return errs.New(errs.Invalid, "the charter "+fmt.Sprintf(format, args...), "")
	}
	switch {
	case c.Kind != charterKind:
		return invalid("is of kind %s", errs.Quote(c.Kind))
	case Fold(string(c.Leader.Member)) == Fold(string(c.Helper.Member)):
		return invalid("has one member as both hosts")
	case c.Leader.Key.Same(c.Helper.Key), c.Leader.Key.Same(c.Coordinator.Key), c.Helper.Key.Same(c.Coordinator.Key):
		return invalid("gives two roles one key")
	case c.Opens >= c.Deadline || c.Deadline >= c.Wipe:
		return invalid("does not open before its deadline and close before its wipe")
	case !isDigest(c.Framework.Digest):
		return invalid("names a framework without its digest")
	case c.Releases == nil || c.Witnesses.Keys == nil:
		return invalid("has null in place of a list")
	case len(c.Cohorts) == 0:
		return invalid("has no cohort")
	case c.Disclosure.Colluders < 0 || c.Disclosure.Colluders > maxColluders:
		return invalid("reckons with %d members that collude", c.Disclosure.Colluders)
	case c.Witnesses.Threshold < 0 || c.Witnesses.Threshold > len(c.Witnesses.Keys):
		return invalid("wants %d of %d witnesses", c.Witnesses.Threshold, len(c.Witnesses.Keys))
	}
	// A page shows these, and the charter may come from anyone.
	for _, text := range []struct{ what, text string }{
		{"coalition", c.Coalition}, {"cycle", c.Cycle}, {"framework", c.Framework.ID}, {"version of its framework", c.Framework.Version},
	} {
		if fault := NameFault(text.text); fault != "" {
			return invalid("has a %s whose name %s %s", text.what, errs.Quote(text.text), fault)
		}
	}
	if c.Marking != "" && NameFault(c.Marking) != "" {
		return invalid("is marked %s", errs.Quote(c.Marking))
	}
	for _, pin := range []string{c.Leader.Certificate, c.Helper.Certificate, c.Coordinator.Certificate} {
		if b, err := hex.DecodeString(pin); err != nil || hex.EncodeToString(b) != pin || (len(b) != 0 && len(b) != sha256.Size) {
			return invalid("pins %s, which is no SHA-256 in hex", errs.Quote(pin))
		}
	}
	if err := c.checkKeys(); err != nil {
		return err
	}
	if err := c.checkCohorts(); err != nil {
		return err
	}
	return c.checkSeparation()
}

// RequireWitness refuses a charter of real answers whose record nobody has to see but
// who keeps it: it could be shown to two readers in two ways. Whoever signs a charter
// asks this; one that was signed before is acted on as it is.
func (c Charter) RequireWitness() error {
	if c.Marking == MarkingSynthetic || c.Marking == MarkingRehearsal || c.Witnesses.Threshold > 0 {
		return nil
	}
	message := "the charter names no witness: nobody but the coordinator would have to see the shared record"
	if n := len(c.Witnesses.Keys); n > 0 {
		message = fmt.Sprintf("the charter wants 0 of %d witnesses: nobody but the coordinator would have to see the shared record", n)
	}
	return errs.New(errs.Denied, message, "a member makes a witness with muster witness init; muster collect charter --ledger KEY --witness KEY names it, one at least")
}

// checkKeys holds what the charter says of hosts, coordinator and witnesses.
func (c Charter) checkKeys() error {
	for _, host := range []Host{c.Leader, c.Helper} {
		if id, err := ParseMemberID(string(host.Member)); err != nil || id != host.Member {
			return errs.New(errs.Invalid, fmt.Sprintf("the charter has %s as host, which is no member name", errs.Quote(string(host.Member))), "")
		}
	}
	for _, key := range []keys.Public{c.Leader.Key, c.Helper.Key, c.Coordinator.Key} {
		if err := key.Check(); err != nil {
			return err
		}
	}
	return c.Witnesses.check(c.Coordinator.Key)
}

// check refuses witnesses that are one key, or not independent of who keeps the
// ledger.
func (p WitnessPolicy) check(coordinator keys.Public) error {
	known := map[keys.Public]string{}
	for _, own := range []struct {
		key  keys.Public
		what string
	}{{coordinator, "the coordinator"}, {p.Log, "the ledger"}} {
		if own.key == "" {
			continue
		}
		if err := own.key.Check(); err != nil {
			return err
		}
		// By the key alone: a coordinator's name is none of a witness.
		known[keys.Public(own.key.Nameless())] = own.what
	}
	for _, key := range p.Keys {
		_, err := key.Cosigner()
		if err != nil {
			return err
		}
		plain, err := key.Plain()
		if err != nil {
			return err
		}
		switch what, ok := known[keys.Public(plain.Nameless())]; {
		case ok && what == "":
			return errs.New(errs.Invalid, "the charter lists the witness "+errs.Quote(string(key))+" twice", "")
		case ok:
			return errs.New(errs.Invalid, fmt.Sprintf("the charter has the key of %s as a witness", what), "a witness is run by a member, on its own machine and with a key of its own")
		}
		known[keys.Public(plain.Nameless())] = ""
	}
	return nil
}

func (c Charter) checkCohorts() error {
	invalid := func(format string, args ...any) error {
		return errs.New(errs.Invalid, "the charter "+fmt.Sprintf(format, args...), "")
	}
	cohorts := make(map[string]bool)
	tasks := make(map[dap.TaskID]string)
	for _, cohort := range c.Cohorts {
		if cohorts[cohort.ID] {
			return invalid("has two cohorts %s", errs.Quote(cohort.ID))
		}
		cohorts[cohort.ID] = true
		if fault := NameFault(cohort.ID); fault != "" {
			return invalid("has a cohort whose id %s %s", errs.Quote(cohort.ID), fault)
		}
		if err := cohort.checkMembers(); err != nil {
			return err
		}
		task, err := c.OpenTask(cohort.ID)
		if err != nil {
			return err
		}
		// A receipt names its task alone: with one task for two cohorts, what
		// was sent to the one could be counted in the other.
		if same, ok := tasks[task.ID]; ok {
			return invalid("gives the cohorts %s and %s one task", errs.Quote(same), errs.Quote(cohort.ID))
		}
		tasks[task.ID] = cohort.ID
	}
	for i, id := range c.Releases {
		if !cohorts[id] {
			return invalid("plans a release of %s, which is no cohort", errs.Quote(id))
		}
		if slices.Contains(c.Releases[:i], id) {
			return invalid("plans two releases of %s", errs.Quote(id))
		}
	}
	return nil
}

func (c Cohort) checkMembers() error {
	n := len(c.Members)
	if want := MinimumBatch(n); c.MinimumBatch < max(want, 1) || c.MinimumBatch > n {
		return errs.New(errs.Invalid, fmt.Sprintf("the charter collects %s from %d of %d members", c.ID, c.MinimumBatch, n),
			fmt.Sprintf("at least %d", want))
	}
	if c.ReleaseMinimum < ReleaseMinimum {
		return errs.New(errs.Invalid, fmt.Sprintf("the charter releases %s from %d members on", c.ID, c.ReleaseMinimum),
			fmt.Sprintf("at least %d besides the hosts", ReleaseMinimum))
	}
	folded, keyed := make(map[string]MemberID, n), make(map[string]MemberID, n)
	for i, m := range c.Members {
		if i > 0 && c.Members[i-1].ID >= m.ID {
			return errs.New(errs.Invalid, fmt.Sprintf("the charter lists %s twice or out of order", m.ID), "")
		}
		if id, err := ParseMemberID(string(m.ID)); err != nil || id != m.ID {
			return errs.New(errs.Invalid, fmt.Sprintf("the charter lists %s, which is no member name", errs.Quote(string(m.ID))), "")
		}
		if other, ok := folded[Fold(string(m.ID))]; ok {
			return errs.New(errs.Invalid, fmt.Sprintf("the charter lists one member as %s and %s", other, m.ID), "")
		}
		folded[Fold(string(m.ID))] = m.ID
		if err := m.Key.Check(); err != nil {
			return fmt.Errorf("the key of %s: %w", m.ID, err)
		}
		if other, ok := keyed[m.Key.Nameless()]; ok {
			return errs.New(errs.Invalid, fmt.Sprintf("the charter gives %s and %s one key", other, m.ID), "")
		}
		keyed[m.Key.Nameless()] = m.ID
	}
	return nil
}

// OpenedTask is a cohort's DAP task with everything decoded and checked.
type OpenedTask struct {
	ID            dap.TaskID
	Variant       dap.Variant
	Configuration dap.TaskConfiguration
	Cohort        Cohort
	LeaderHPKE    dap.HpkeConfigList
	HelperHPKE    dap.HpkeConfigList
	CollectorHPKE dap.HpkeConfig
	Interval      dap.Interval // the task interval, which covers the whole cycle
}

// OpenTask decodes a cohort's task and checks that it is the one that the
// charter's other fields imply: the task id covers configuration and seed, the
// task_info covers the layout, and the batch is not below the cohort's minimum.
func (c Charter) OpenTask(cohortID string) (OpenedTask, error) {
	invalid := func(err error, what string) error {
		return errs.Wrap(err, errs.Invalid, "the charter's task of "+cohortID+" "+what, "")
	}
	var t OpenedTask
	for _, cohort := range c.Cohorts {
		if cohort.ID == cohortID {
			t.Cohort = cohort
		}
	}
	if t.Cohort.ID == "" {
		return OpenedTask{}, errs.New(errs.NotFound, "the charter has no cohort "+errs.Quote(cohortID), "")
	}
	var err error
	if t.Variant, err = dap.ParseVariant(t.Cohort.Task.Variant); err != nil {
		return OpenedTask{}, invalid(err, "has an unknown variant")
	}
	if t.ID, err = dap.ParseTaskID(t.Cohort.Task.ID); err != nil {
		return OpenedTask{}, invalid(err, "has a broken id")
	}
	if err := unmarshal64(t.Cohort.Task.Configuration, &t.Configuration); err != nil {
		return OpenedTask{}, invalid(err, "has a broken configuration")
	}
	seed, err := hex.DecodeString(c.SeedDigest)
	if err != nil || len(seed) != 32 || hex.EncodeToString(seed) != c.SeedDigest {
		return OpenedTask{}, invalid(err, "has a broken seed digest")
	}
	id, err := dap.DeriveTaskID([32]byte(seed), t.Configuration)
	if err != nil || id != t.ID {
		return OpenedTask{}, invalid(err, "has another id than its configuration and seed give")
	}
	if info := sha256.Sum256(c.Layout); string(info[:]) != string(t.Configuration.TaskInfo) {
		return OpenedTask{}, invalid(nil, "has another task_info than the layout gives")
	}
	if t.Configuration.MinBatchSize != uint64(t.Cohort.MinimumBatch) {
		return OpenedTask{}, invalid(nil, "has another minimum batch size than the cohort")
	}
	if t.Configuration.BatchMode != dap.BatchModeTimeInterval {
		return OpenedTask{}, invalid(nil, "is not in time-interval mode")
	}
	interval, ok := t.Configuration.TaskInterval()
	if !ok {
		return OpenedTask{}, invalid(nil, "has no task interval")
	}
	if len(t.Configuration.Extensions) != 1 { // DAP-18 4.2.2: nobody takes part in a task with an extension that it does not know
		return OpenedTask{}, invalid(nil, "has an extension that is not known")
	}
	t.Interval = interval
	if !c.covered(t) {
		return OpenedTask{}, invalid(nil, "has a task interval that does not cover the cycle from its opening to its wipe")
	}
	if err := unmarshal64(c.Leader.HPKE, &t.LeaderHPKE); err != nil {
		return OpenedTask{}, invalid(err, "has a broken HPKE configuration of the Leader")
	}
	if err := unmarshal64(c.Helper.HPKE, &t.HelperHPKE); err != nil {
		return OpenedTask{}, invalid(err, "has a broken HPKE configuration of the Helper")
	}
	if err := unmarshal64(c.Coordinator.HPKE, &t.CollectorHPKE); err != nil {
		return OpenedTask{}, invalid(err, "has a broken HPKE configuration of the coordinator")
	}
	return t, nil
}

// covered reports whether a task takes submissions during the whole cycle: the
// deadline may be postponed up to the wipe, and the task cannot change.
func (c Charter) covered(t OpenedTask) bool {
	first, err := dap.TimeFromUnix(c.Opens, t.Configuration.TimePrecision)
	if err != nil {
		return false
	}
	last, err := dap.TimeFromUnix(c.Wipe-1, t.Configuration.TimePrecision)
	return err == nil && t.Interval.Contains(first) && t.Interval.Contains(last)
}

// MemberKey returns the key of a member of the task's cohort.
func (t OpenedTask) MemberKey(id MemberID) (keys.Public, bool) {
	for _, m := range t.Cohort.Members {
		if m.ID == id {
			return m.Key, true
		}
	}
	return "", false
}

func unmarshal64(s string, v interface{ UnmarshalBinary([]byte) error }) error {
	b, err := decode64(s)
	if err != nil {
		return err
	}
	return v.UnmarshalBinary(b)
}

func decode64(s string) ([]byte, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err == nil && base64.RawURLEncoding.EncodeToString(b) != s { // the decoder passes over line ends
		err = errors.New("a line end within base64url")
	}
	return b, err
}

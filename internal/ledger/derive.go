package ledger

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
)

// A Cycle derives the statements of one cycle from what was signed in it. Each
// method refuses what does not verify, and the same file gives the same
// statements, which still want the coordinator's signature.
type Cycle struct {
	Signed  coalition.SignedCharter
	Charter coalition.Charter // as opened
	digest  string
}

// NewCycle opens a charter with its three signatures.
func NewCycle(signed coalition.SignedCharter) (*Cycle, error) {
	c, err := signed.Open()
	if err != nil {
		return nil, err
	}
	return &Cycle{signed, c, signed.Digest()}, nil
}

// BeforeCharter derives the statements of a cycle whose charter is not signed yet: the
// steps of silence procedures and how they ended, and phases. They name no charter.
func BeforeCharter(card coalition.CoordinatorCard, cycle string) *Cycle {
	return &Cycle{Charter: coalition.Charter{Coalition: card.Coalition, Cycle: cycle, Coordinator: coalition.Coordinator{Key: card.Key}}}
}

// statement returns a statement of a kind with fields by name and value.
func (c *Cycle) statement(kind Kind, fields ...string) Statement {
	row, _ := kind.row()
	s := Statement{Version: row.Version(), Kind: kind, Cycle: c.Charter.Cycle, Charter: c.digest, Fields: make(map[string]string, len(fields)/2)}
	for i := 0; i+1 < len(fields); i += 2 {
		s.Fields[fields[i]] = fields[i+1]
	}
	return s
}

// noted adds the note over a file, with the signatures that the kind needs alone.
func (c *Cycle) noted(s Statement, file coalition.SignedFile) (Statement, error) {
	row, _ := s.Kind.row()
	var signers []keys.Public
	for _, role := range row.By {
		if field, ok := s.Fields[role]; ok {
			role = field
		}
		key, _ := PartiesOf(c.Charter).key(role)
		signers = append(signers, key)
	}
	s.Fields["digest"] = keys.Digest(file.Body)
	note, err := keys.Reduce(row.File, sha256.Sum256(file.Body), file.Signature, signers...)
	s.Note = string(note)
	return s, err
}

// CharterStatements returns what the charter says: the framework, and the charter.
func (c *Cycle) CharterStatements() ([]Statement, error) {
	framework := c.statement(KindFramework, "digest", c.Charter.Framework.Digest, "id", c.Charter.Framework.ID, "version", c.Charter.Framework.Version)
	members := 0
	for _, cohort := range c.Charter.Cohorts {
		members += len(cohort.Members)
	}
	charter, err := c.noted(c.statement(KindCharter, "framework", c.Charter.Framework.Digest, "layout", keys.Digest(c.Charter.Layout),
		"members", strconv.Itoa(members), "marking", c.Charter.Marking), coalition.SignedFile(c.Signed))
	return []Statement{framework, charter}, err
}

// Addenda returns the statements of all addenda, in order.
func (c *Cycle) Addenda(addenda []coalition.SignedAddendum) ([]Statement, error) {
	if _, err := c.Charter.DeadlineAfter(addenda); err != nil {
		return nil, err
	}
	var list []Statement
	for _, signed := range addenda {
		a, err := signed.Read(c.Charter)
		if err != nil {
			return nil, err
		}
		s, err := c.noted(c.statement(KindAddendum, "number", strconv.Itoa(a.Number), "deadline", strconv.FormatInt(a.Deadline, 10), "reason", a.Reason), coalition.SignedFile(signed))
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// Frozen returns the statements of a cohort's roster and its amendments: the
// receipts and strikes under pseudonyms, and what both hosts signed.
func (c *Cycle) Frozen(cohort string, frozen coalition.FrozenRoster) ([]Statement, error) {
	task, err := c.Charter.OpenTask(cohort)
	if err != nil {
		return nil, err
	}
	if _, err := frozen.Open(task.ID, c.Charter.Leader.Key, c.Charter.Helper.Key); err != nil {
		return nil, err
	}
	roster, err := coalition.ParseRoster(frozen.Roster.Body, task.ID)
	if err != nil {
		return nil, err
	}
	opener := NewOpener(frozen.Roster.Body)
	var list []Statement
	for _, e := range roster.Entries {
		list = append(list, c.statement(KindReceipt, "task_id", task.ID.String(), "member", opener.Pseudonym(e.Member), "receipt", opener.Receipt(e.Member, e.Receipt)))
	}
	sortByPseudonym(list)
	s, err := c.noted(c.statement(KindRoster, "task_id", task.ID.String(), "submissions", strconv.Itoa(len(list)), "receipts", listDigest(list, "receipt")), coalition.SignedFile(frozen.Roster))
	if err != nil {
		return nil, err
	}
	list = append(list, s)
	for i, signed := range frozen.Amendments {
		struck, err := c.amendment(task.ID, frozen, i, opener, signed)
		if err != nil {
			return nil, err
		}
		list = append(list, struck...)
	}
	return list, nil
}

// sortByPseudonym puts statements in an order that says nothing: a roster is in that
// of the members' names, which would undo the pseudonyms.
func sortByPseudonym(list []Statement) {
	slices.SortFunc(list, func(a, b Statement) int { return strings.Compare(a.Fields["member"], b.Fields["member"]) })
}

func (c *Cycle) amendment(task dap.TaskID, frozen coalition.FrozenRoster, i int, opener Opener, signed coalition.SignedAmendment) ([]Statement, error) {
	a, err := coalition.ParseAmendment(signed.Body, task, frozen.Roster, frozen.Amendments[:i])
	if err != nil {
		return nil, err
	}
	number := strconv.Itoa(a.Number)
	var list []Statement
	for _, strike := range a.Struck {
		list = append(list, c.statement(KindStrike, "task_id", task.String(), "amendment", number, "member", opener.Pseudonym(strike.Member), "reason", strike.Reason))
	}
	sortByPseudonym(list)
	s, err := c.noted(c.statement(KindAmendment, "task_id", task.String(), "roster", a.Roster, "number", number,
		"struck", strconv.Itoa(len(list)), "strikes", listDigest(list, "reason")), coalition.SignedFile(signed))
	return append(list, s), err
}

// RecordLine returns the statement of a line of a host's record, without its end:
// a share that was handed over, or lists that differed. ok is false for a line
// that the ledger does not take in: what it says stands there in another form, or
// is the host's own.
func (c *Cycle) RecordLine(raw []byte) (s Statement, ok bool, err error) {
	var line Line
	for _, key := range []keys.Public{c.Charter.Leader.Key, c.Charter.Helper.Key} {
		if line, err = ReadLine(raw, key); err == nil {
			break
		}
	}
	if err != nil {
		return Statement{}, false, err
	}
	for _, row := range Rows() {
		if row.Cover != CoverLine || row.Line != line.Entry.Kind {
			continue
		}
		s := c.statement(row.Kind)
		for name, value := range line.Entry.Data {
			s.Fields[name] = value
		}
		s.Note = string(raw)
		if err := s.check(); err != nil {
			return Statement{}, false, err
		}
		return s, true, s.verifyLine(row, PartiesOf(c.Charter))
	}
	return Statement{}, false, nil
}

// releaseHead is what the ledger reads of a release. Package release reads all.
type releaseHead struct {
	Cohort        string `json:"cohort"`
	CharterDigest string `json:"charter_digest"`
	RosterDigest  string `json:"roster_digest"`
	Participation struct {
		Submissions int `json:"submissions"`
	} `json:"participation"`
}

// Release returns the statement of a release that the coordinator signed, and
// those of the hosts that have approved it by signing it too. Whoever calls it has
// read the file strictly.
func (c *Cycle) Release(file coalition.SignedFile) ([]Statement, error) {
	var head releaseHead
	if err := json.Unmarshal(file.Body, &head); err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "the release cannot be read", "ask the coordinator for the file and its .sig again")
	}
	if head.CharterDigest != c.digest {
		return nil, errs.New(errs.Invalid, "the release belongs to another charter", "give the charter of its cycle")
	}
	task, err := c.Charter.OpenTask(head.Cohort)
	if err != nil {
		return nil, err
	}
	s, err := c.noted(c.statement(KindRelease, "task_id", task.ID.String(), "roster", head.RosterDigest, "submissions", strconv.Itoa(head.Participation.Submissions)), file)
	if err != nil {
		return nil, err
	}
	list := []Statement{s}
	for _, host := range []string{"leader", "helper"} {
		key, _ := PartiesOf(c.Charter).key(host)
		switch status, err := keys.Check(keys.KindRelease, file.Body, file.Signature, key); {
		case err != nil:
			return nil, err
		case status == keys.Forged:
			return nil, errs.New(errs.Invalid, "the signature of the "+host+" on the release is not genuine", "ask the host to sign it again")
		case status == keys.Missing:
			continue
		}
		approval, err := c.noted(c.statement(KindApproval, "host", host), file)
		if err != nil {
			return nil, err
		}
		list = append(list, approval)
	}
	return list, nil
}

// Wipe returns the statement of a wipe attestation.
func (c *Cycle) Wipe(file coalition.SignedFile) (Statement, error) {
	a, err := coalition.OpenWipeAttestation(file, c.Charter)
	if err != nil {
		return Statement{}, err
	}
	return c.noted(c.statement(KindWipe, "role", a.Role, "ending", a.Ending, "sum", a.Sum), file)
}

// Edition returns the statement that a file is what one audience gets of a release.
func (c *Cycle) Edition(audience string, release, edition []byte) (Statement, error) {
	s := c.statement(KindEdition, "audience", audience, "release", keys.Digest(release), "digest", keys.Digest(edition))
	return s, s.check()
}

// Phase returns the statement of the cycle's step from one phase to another, its
// number from 1.
func (c *Cycle) Phase(number int, from, to coalition.Phase, reason string) (Statement, error) {
	s := c.statement(KindPhase, "number", strconv.Itoa(number), "from", string(from), "to", string(to), "reason", strings.TrimSpace(reason))
	return s, s.check()
}

// Adoption returns the statement of how a silence procedure over the charter, or
// over an edition, ended: adopted, or reopened. procedure is its id, empty where there
// are no steps, and number counts its rounds from 1: a text that was withdrawn, or that
// was not adopted, is proposed anew in another procedure.
func (c *Cycle) Adoption(subject, digest, procedure string, number int, adopted bool) (Statement, error) {
	outcome := "reopened"
	if adopted {
		outcome = "adopted"
	}
	s := c.statement(KindAdoption, "subject", subject, "digest", digest, "procedure", procedure, "number", strconv.Itoa(number), "outcome", outcome)
	return s, s.check()
}

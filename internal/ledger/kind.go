package ledger

import (
	"slices"

	"muster/internal/keys"
)

// Kind is what a [Statement] says.
type Kind string

// The kinds of statements.
const (
	KindFramework    Kind = "framework"
	KindCharter      Kind = "charter"
	KindAdoption     Kind = "adoption"
	KindPhase        Kind = "phase"
	KindAddendum     Kind = "addendum"
	KindReceipt      Kind = "receipt"
	KindRoster       Kind = "roster"
	KindDisagreement Kind = "disagreement"
	KindStrike       Kind = "strike"
	KindAmendment    Kind = "amendment"
	KindShare        Kind = "share"
	KindRelease      Kind = "release"
	KindApproval     Kind = "approval"
	KindEdition      Kind = "edition"
	KindWipe         Kind = "wipe"
)

// Form is what the text of a field may be.
type Form uint8

// The forms of fields.
const (
	FormDigest    Form = iota + 1 // lower-case hex of SHA-256
	FormNumber                    // decimal, from 0, no leading zeros
	FormTask                      // a DAP task id in base64url
	FormPseudonym                 // 32 lower-case hex digits
	FormName                      // a name, as a member's
	FormText                      // at most 2,000 bytes that can be seen
	FormWord                      // one of the words of the field
)

// Field is a field of a statement.
type Field struct {
	Name  string
	Form  Form
	Words []string // with [FormWord]
	Empty bool     // may be empty
	Since int      // the version of the kind's form that brought it; zero: the first
}

// Cover says what the note of a statement is a signature of, besides the
// coordinator's over all of it.
type Cover uint8

// What a note covers.
const (
	CoverNothing Cover = iota // there is no note
	CoverFile                 // the file whose digest stands in the field digest
	CoverLine                 // nothing: it is a line of a host's record, whole
)

// Row is what the table of kinds says of one.
type Row struct {
	Kind    Kind
	Fields  []Field
	ID      []string // the fields that tell one from another within a cycle
	Charter bool     // whether it belongs to a charter; else it may
	Cover   Cover
	File    keys.Kind // with CoverFile: what sort of file
	By      []string  // with CoverFile: the roles that signed it; "role" and "host" are as the field says
	Line    string    // with CoverLine: the kind of the line
	EN, FR  string    // what it means, for people
}

func field(name string, form Form) Field { return Field{Name: name, Form: form} }

func word(name string, words ...string) Field { return Field{Name: name, Form: FormWord, Words: words} }

func may(f Field) Field { f.Empty = true; return f }

func since(version int, f Field) Field { f.Since = version; return f }

// Rows returns the table of kinds, in the order of a cycle.
func Rows() []Row { return slices.Clone(rows[:]) }

// Who signs a file.
var (
	hosts = []string{"leader", "helper"}
	all   = []string{"coordinator", "leader", "helper"}
)

// rows is the table of kinds. Nothing writes to it.
var rows = [...]Row{
	{
		Kind: KindFramework, Charter: true, Fields: []Field{field("digest", FormDigest), field("id", FormName), field("version", FormName)}, ID: []string{"digest"},
		EN: "These are the questions of the cycle, to the letter.",
		FR: "Voici les questions du cycle, à la lettre près.",
	},
	{
		Kind: KindCharter, Charter: true, ID: []string{"digest"}, Cover: CoverFile, File: keys.KindCharter, By: all,
		Fields: []Field{field("digest", FormDigest), field("framework", FormDigest), field("layout", FormDigest), field("members", FormNumber), may(word("marking", "SYNTHETIC", "REHEARSAL"))},
		EN:     "Coordinator and both hosts signed the charter: what is asked, of whom, by when, and who adds it up.",
		FR:     "Le coordinateur et les deux hôtes ont signé la charte : ce qui est demandé, à qui, pour quand, et qui additionne.",
	},
	{
		Kind: KindAdoption, ID: []string{"subject", "digest", "procedure", "number"},
		Fields: []Field{
			word("subject", "charter", "edition"), field("digest", FormDigest), since(2, may(field("procedure", FormPseudonym))), field("number", FormNumber),
			word("outcome", "adopted", "reopened"),
		},
		EN: "The silence procedure ended: the document is adopted, or was reopened. Who broke silence is not written down.",
		FR: "La procédure de silence a pris fin : le document est adopté ou rouvert. Qui a rompu le silence n'est pas consigné.",
	},
	silenceRow(),
	{
		Kind: KindPhase, ID: []string{"number"},
		Fields: []Field{field("number", FormNumber), field("from", FormName), field("to", FormName), may(field("reason", FormText))},
		EN:     "The cycle went on to its next phase; where that needs a reason, it is given.",
		FR:     "Le cycle est passé à la phase suivante ; lorsqu'il faut un motif, il est donné.",
	},
	{
		Kind: KindAddendum, Charter: true, ID: []string{"number"}, Cover: CoverFile, File: keys.KindAddendum, By: all,
		Fields: []Field{field("digest", FormDigest), field("number", FormNumber), field("deadline", FormNumber), field("reason", FormText)},
		EN:     "Coordinator and both hosts postponed the deadline, for the reason given.",
		FR:     "Le coordinateur et les deux hôtes ont reporté l'échéance, pour le motif indiqué.",
	},
	{
		Kind: KindReceipt, Charter: true, ID: []string{"task_id", "member"},
		Fields: []Field{field("task_id", FormTask), field("member", FormPseudonym), field("receipt", FormDigest)},
		EN:     "One member's submission counts. The member can find its own entry; nobody outside can tell whose it is, or when it came.",
		FR:     "L'envoi d'un membre compte. Le membre retrouve sa propre inscription ; personne au dehors ne peut dire de qui elle est, ni quand l'envoi est arrivé.",
	},
	{
		Kind: KindRoster, Charter: true, ID: []string{"task_id"}, Cover: CoverFile, File: keys.KindRoster, By: hosts,
		Fields: []Field{field("digest", FormDigest), field("task_id", FormTask), field("submissions", FormNumber), field("receipts", FormDigest)},
		EN:     "Both hosts signed one list of whose submissions count.",
		FR:     "Les deux hôtes ont signé une même liste des envois qui comptent.",
	},
	{
		Kind: KindDisagreement, Charter: true, ID: []string{"task_id", "leader", "helper"}, Cover: CoverLine, Line: "disagreement",
		Fields: []Field{field("task_id", FormTask), field("leader", FormDigest), field("helper", FormDigest)},
		EN:     "The hosts' lists differed. Nothing was opened.",
		FR:     "Les listes des hôtes différaient. Rien n'a été ouvert.",
	},
	{
		Kind: KindStrike, Charter: true, ID: []string{"task_id", "amendment", "member"},
		Fields: []Field{field("task_id", FormTask), field("amendment", FormNumber), field("member", FormPseudonym), field("reason", FormName)},
		EN:     "One submission on the list was not accepted: what was sent cannot be added up.",
		FR:     "Un envoi de la liste n'a pas été accepté : ce qui a été envoyé ne peut pas être additionné.",
	},
	{
		Kind: KindAmendment, Charter: true, ID: []string{"task_id", "number"}, Cover: CoverFile, File: keys.KindAmendment, By: hosts,
		Fields: []Field{field("digest", FormDigest), field("task_id", FormTask), field("roster", FormDigest), field("number", FormNumber), field("struck", FormNumber), field("strikes", FormDigest)},
		EN:     "Both hosts signed that submissions are taken off the list, before anything was opened.",
		FR:     "Les deux hôtes ont signé que des envois sont retirés de la liste, avant toute ouverture.",
	},
	{
		Kind: KindShare, Charter: true, ID: []string{"task_id", "host"}, Cover: CoverLine, Line: "aggregate share",
		Fields: []Field{field("task_id", FormTask), word("host", "leader", "helper"), field("share", FormDigest)},
		EN:     "A host handed over its half of the totals, locked. This is its fingerprint.",
		FR:     "Un hôte a remis sa moitié des totaux, verrouillée. Voici son empreinte.",
	},
	{
		Kind: KindRelease, Charter: true, ID: []string{"task_id"}, Cover: CoverFile, File: keys.KindRelease, By: []string{"coordinator"},
		Fields: []Field{field("digest", FormDigest), field("task_id", FormTask), field("roster", FormDigest), field("submissions", FormNumber)},
		EN:     "The coordinator signed what may be shown of the totals.",
		FR:     "Le coordinateur a signé ce qui peut être montré des totaux.",
	},
	{
		Kind: KindApproval, Charter: true, ID: []string{"digest", "host"}, Cover: CoverFile, File: keys.KindRelease, By: []string{"host"},
		Fields: []Field{field("digest", FormDigest), word("host", "leader", "helper")},
		EN:     "A host approved the release.",
		FR:     "Un hôte a approuvé la publication.",
	},
	{
		Kind: KindEdition, Charter: true, ID: []string{"release", "audience", "digest"},
		Fields: []Field{field("digest", FormDigest), field("release", FormDigest), word("audience", "allied", "partner", "public")},
		EN:     "This is what one audience gets of the release.",
		FR:     "Voici ce qu'un public reçoit de la publication.",
	},
	{
		Kind: KindWipe, Charter: true, ID: []string{"role"}, Cover: CoverFile, File: keys.KindWipe, By: []string{"role"},
		Fields: []Field{field("digest", FormDigest), word("role", "leader", "helper", "coordinator"), word("ending", "over", "cancelled"), may(word("sum", "left", "kept", "unknown"))},
		EN:     "A host, or the coordinator, says that it destroyed its keys. It is stated, not proven.",
		FR:     "Un hôte ou le coordinateur déclare avoir détruit ses clés. C'est déclaré, non prouvé.",
	},
}

// row returns the row of a kind.
func (k Kind) row() (Row, bool) {
	for _, row := range rows {
		if row.Kind == k {
			return row, true
		}
	}
	return Row{}, false
}

// Version returns the version of the form that statements of a kind are made in.
func (r Row) Version() int {
	version := 1
	for _, f := range r.Fields {
		version = max(version, f.Since)
	}
	return version
}

// fields returns those of a version.
func (r Row) fields(version int) []Field {
	return slices.DeleteFunc(slices.Clone(r.Fields), func(f Field) bool { return f.Since > version })
}

// Text returns what a kind of statement means in a language, English where there
// is no other.
func (r Row) Text(language string) string {
	if language == "fr" {
		return r.FR
	}
	return r.EN
}

package exchange

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"muster/internal/errs"
	"muster/internal/exchange/cells"
)

// FormHeader is the first line of the form on which a supplier says whether it is
// required as a register has it: what the register says, then what the supplier does.
const FormHeader = "service,service_name,service_owner,group,need,suppliers,supplier,supplier_name,binding,buffer," + formAnswers

// formAnswers are the columns that the supplier fills in.
const formAnswers = "says,their_binding,their_buffer,why,who"

const (
	formService = iota
	formServiceName
	formServiceOwner
	formGroup
	formNeed
	formSuppliers
	formSupplier
	formSupplierName
	formBinding
	formBuffer
	formSays
	formTheirBinding
	formTheirBuffer
	formWhy
	formWho
)

// An Asking is what one owner of services is asked.
type Asking struct {
	Owner string
	rows  [][]string // cells of the form
}

// Rows returns how many rows there are.
func (a *Asking) Rows() int { return len(a.rows) }

// Unasked counts the rows of which nobody is asked, by why.
type Unasked struct {
	Answered int // they are confirmed or disputed already
	Own      int // both sides are one owner
	Nobody   int // the supplier has no owner, or is unknown
	Held     int // marked amber+strict or red: who supplies may not read it
}

// Ask returns what the owners of services are to be asked, in order of their names:
// each the rows of others that name its services. again asks what was answered before
// as well. The tables have to be those of a register that can be read.
func Ask(tables RegisterRows, again bool) (list []Asking, not Unasked) {
	type about struct{ owner, name string }
	services := make(map[string]about)
	for _, s := range tables.Services {
		services[s[serviceID]] = about{s[serviceOwner], s[serviceName]}
	}
	size := make(map[[2]string]int)
	for _, q := range tables.Requirements {
		size[[2]string{q[requirementService], q[requirementGroup]}]++
	}
	of := make(map[string]int) // place in the list
	for _, q := range tables.Requirements {
		requires, supplies := services[q[requirementService]], services[q[requirementSupplier]]
		status := cellOf(q, requirementStatus)
		switch {
		case supplies.owner == "":
			not.Nobody++
		case sameOwner(supplies.owner, requires.owner):
			not.Own++
		case q[requirementTLP] == "amber+strict" || q[requirementTLP] == "red":
			not.Held++
		case !again && (status == statusConfirmed || status == statusDisputed):
			not.Answered++
		default:
			at, known := of[fold(supplies.owner)]
			if !known {
				at = len(list)
				of[fold(supplies.owner)] = at
				list = append(list, Asking{Owner: supplies.owner})
			}
			list[at].rows = append(list[at].rows, []string{
				q[requirementService], requires.name, requires.owner, q[requirementGroup], q[requirementNeed],
				fmt.Sprint(size[[2]string{q[requirementService], q[requirementGroup]}]),
				q[requirementSupplier], supplies.name, q[requirementBinding], q[requirementBuffer], "", "", "", "", "",
			})
		}
	}
	slices.SortStableFunc(list, func(a, b Asking) int { return cmp.Compare(a.Owner, b.Owner) })
	return list, not
}

// cellOf returns a cell of a row that may lack it.
func cellOf(row []string, i int) string {
	if i < len(row) {
		return row[i]
	}
	return ""
}

// Write writes the form. Spreadsheets take it for UTF-8 by the mark at its beginning,
// and calculate none of its cells.
func (a *Asking) Write(w io.Writer) error {
	b := bufio.NewWriter(w)
	b.WriteString("\uFEFF" + FormHeader + "\r\n")
	for _, row := range a.rows {
		for i, text := range row {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(quoteCell(harmless(text)))
		}
		b.WriteString("\r\n")
	}
	return b.Flush()
}

// harmless returns a text as a cell that no spreadsheet calculates, whatever it takes
// for the end of a cell.
func harmless(text string) string {
	var b strings.Builder
	for text != "" {
		end := strings.IndexAny(text, ",;\t") + 1
		if end == 0 {
			end = len(text)
		}
		if cells.Calculates(text[:end]) {
			b.WriteByte('\'')
		}
		b.WriteString(text[:end])
		text = text[end:]
	}
	return b.String()
}

// FileName returns a name of a file for the form, without an ending; taken are those
// that are used.
func (a *Asking) FileName(taken map[string]bool) string {
	name := slug(a.Owner)
	if len(name) > 60 {
		name = strings.ToValidUTF8(name[:60], "")
	}
	for n := 2; taken[name]; n++ {
		name = fmt.Sprintf("%s-%d", strings.TrimSuffix(name, fmt.Sprintf("-%d", n-1)), n)
	}
	taken[name] = true
	return name
}

// HowToAnswer goes with the forms: what who is asked does with one.
const HowToAnswer = `Each row of your file says that somebody requires a service of yours: who, for what,
how many of how many suppliers must be up ("need" of "suppliers"), how likely it is that
they cannot do without ("binding": always, mostly, often, seldom, rarely, or a number
from 0 to 1), and how long they can ("buffer": 90min, 48h, 3d).

Open it in a spreadsheet and fill in, row by row, the columns on the right:
  says           confirmed, or disputed; leave it empty if you do not know
  their_binding  only where you dispute: what it is instead
  their_buffer   only where you dispute: how long they can do without, instead
  why            in a sentence
  who            your name
If you supply nothing of the kind at all, write disputed and leave the two in the middle
empty. Change nothing on the left. Save it as CSV UTF-8 and send it back.

Chaque ligne de votre fichier dit que quelqu'un dépend d'un de vos services : qui, pour
quoi, combien de fournisseurs sur combien doivent fonctionner ("need" sur "suppliers"),
à quel point il est probable qu'il ne puisse s'en passer ("binding" : always, mostly,
often, seldom, rarely, ou un nombre de 0 à 1), et pendant combien de temps il le peut
("buffer" : 90min, 48h, 3d).

Ouvrez-le dans un tableur et remplissez, ligne par ligne, les colonnes de droite :
  says           confirmed (ou confirmé), disputed (ou contesté) ; laissez vide si vous ne savez pas
  their_binding  seulement si vous contestez : ce qu'il en est
  their_buffer   seulement si vous contestez : combien de temps il peut s'en passer
  why            en une phrase
  who            votre nom
Si vous ne fournissez rien de tel, écrivez disputed et laissez vides les deux du milieu.
Ne changez rien à gauche. Enregistrez en CSV UTF-8 et renvoyez le fichier.
`

// formKey says which row of the requirements a row of a form is about.
type formKey struct{ service, group, supplier string }

// Answered is what came back on forms.
type Answered struct {
	Requirements [][]string // the table, with what was said in it
	Confirmed    int
	Disputed     []string // in words
	Silent       int      // asked, and nothing said
}

// Answers enters what came back on forms into the requirements. Every row has to be
// about a row that is there as it was when it was asked. The error is an [errs.Faults]
// of all forms; then nothing was entered.
func Answers(tables RegisterRows, forms []Form, on string) (*Answered, error) {
	a := &Answered{}
	at := make(map[formKey]int)
	for i, q := range tables.Requirements {
		a.Requirements = append(a.Requirements, append(slices.Clone(q), make([]string, requirementColumns-len(q))...))
		at[formKey{harmless(q[requirementService]), harmless(q[requirementGroup]), harmless(q[requirementSupplier])}] = i
	}
	owner := make(map[string]string)
	for _, s := range tables.Services {
		owner[s[serviceID]] = s[serviceOwner]
	}
	first := make(map[int]string) // where a row was answered
	var faults errs.Faults
	for _, f := range forms {
		r := &formReader{table: &table{name: f.Name, header: FormHeader}, answered: a, at: at, owner: owner, first: first, on: on}
		err := r.read(f.Text)
		if of, ok := errors.AsType[errs.Faults](err); ok {
			faults = append(faults, of...)
		} else if err != nil {
			return nil, err
		}
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	a.Requirements = withoutEmptyStatus(a.Requirements)
	return a, nil
}

// Form is a file that came back.
type Form struct {
	Name string
	Text []byte
}

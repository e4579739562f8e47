package cli

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"muster/internal/errs"
	"muster/internal/exchange"
)

func newCascadeAskCmd(env Env) *cobra.Command {
	var (
		f     registerFlags
		out   string
		again bool
	)
	cmd := &cobra.Command{
		Use:   "ask",
		Short: "Write a form for each supplier: is it so that others require you?",
		Long: `Write a form for each owner of services that others require: a CSV file with the
rows that name its services and no others, on which it says confirmed or disputed,
what it is instead, and why. how-to-answer.txt, in English and French, goes with it.
muster cascade answers takes in what comes back.

Rows that were answered before are left out, unless --again is given; so are rows
marked amber+strict or red, which a supplier may not read. Nobody proves who filled in
a form: send it to somebody you know.`,
		Example: `  muster cascade ask --services services.csv --requirements requirements.csv --out ask`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usageError(cmd, cmd.CommandPath()+" needs --out")
			}
			if err := checkOutput("--out", out); err != nil {
				return err
			}
			if _, _, err := f.read(cmd, env); err != nil {
				return err
			}
			tables, err := readRows(f.services, f.requirements)
			if err != nil {
				return err
			}
			list, not := exchange.Ask(tables, again)
			for _, x := range []struct {
				n         int
				one, many string
			}{
				{not.Answered, "1 row was answered before; --again asks again", "%d rows were answered before; --again asks again"},
				{not.Own, "in 1 row both sides are one owner; nobody is asked", "in %d rows both sides are one owner; nobody is asked"},
				{not.Nobody, "of 1 row the supplier has no owner, or is unknown; nobody is asked", "of %d rows the supplier has no owner, or is unknown; nobody is asked"},
				{not.Held, "1 row is marked amber+strict or red; nobody is asked", "%d rows are marked amber+strict or red; nobody is asked"},
			} {
				if x.n > 0 {
					say(env, "%s", plural(x.n, x.one, x.many))
				}
			}
			if len(list) == 0 {
				return errs.New(errs.Conflict, "there is nobody to ask", "every row was answered, or has nobody who could answer")
			}
			files := []written{{"how-to-answer.txt", func(w io.Writer) error {
				_, err := io.WriteString(w, exchange.HowToAnswer)
				return err
			}}}
			taken := map[string]bool{"how-to-answer": true}
			text := ""
			for i := range list {
				name := list[i].FileName(taken) + ".csv"
				files = append(files, written{name, list[i].Write})
				text += fmt.Sprintf("%s  %s: %s\n", filepath.ToSlash(filepath.Join(out, name)), errs.Quote(list[i].Owner), plural(list[i].Rows(), "1 row", "%d rows"))
			}
			if err := writeAll(out, files, nil); err != nil {
				return err
			}
			_, err = io.WriteString(env.Out, text)
			return err
		},
	}
	f.addTables(cmd)
	cmd.Flags().StringVar(&out, "out", "", "the folder for the forms")
	cmd.Flags().BoolVar(&again, "again", false, "ask what was answered before as well")
	return cmd
}

func newCascadeAnswersCmd(env Env) *cobra.Command {
	var (
		f   registerFlags
		out string
	)
	cmd := &cobra.Command{
		Use:   "answers FORM...",
		Short: "Take in what suppliers said on their forms",
		Long: `Take in what suppliers said on the forms of muster cascade ask, as spreadsheets save
them, and write the requirements with it to a folder: in the columns status,
their_binding, their_buffer and said. Every row has to be as it was asked; while a form
has a fault none is taken in.

What is in dispute counts as the requirements have it, until --without-disputed takes
it as suppliers say.`,
		Example: `  muster cascade answers --services services.csv --requirements requirements.csv --out answered ask/grid.csv ask/fuel.csv`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError(cmd, cmd.CommandPath()+" needs one form or more")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usageError(cmd, cmd.CommandPath()+" needs --out")
			}
			if err := checkOutput("--out", out); err != nil {
				return err
			}
			if _, _, err := f.read(cmd, env); err != nil {
				return err
			}
			tables, err := readRows(f.services, f.requirements)
			if err != nil {
				return err
			}
			var forms []exchange.Form
			for _, path := range args {
				body, err := readInput(path, "form")
				if err != nil {
					return err
				}
				forms = append(forms, exchange.Form{Name: path, Text: body})
			}
			a, err := exchange.Answers(tables, forms, env.Now().UTC().Format("2006-01-02"))
			if err != nil {
				return err
			}
			write := exchange.Requirements.WriteCSV
			name := "requirements.csv"
			if ext := filepath.Ext(f.requirements); ext == ".yaml" || ext == ".yml" {
				write, name = exchange.Requirements.WriteYAML, "requirements"+ext
			}
			if err := writeAll(out, []written{{name, func(w io.Writer) error { return write(w, a.Requirements) }}}, nil); err != nil {
				return err
			}
			warnEach(env, a.Disputed, "dispute", "disputes")
			_, err = fmt.Fprintf(env.Out, "%s: %s confirmed, %d disputed, %d without an answer\n", filepath.Join(out, name), plural(a.Confirmed, "1 row", "%d rows"), len(a.Disputed), a.Silent)
			return err
		},
	}
	f.addTables(cmd)
	cmd.Flags().StringVar(&out, "out", "", "the folder for the requirements")
	return cmd
}

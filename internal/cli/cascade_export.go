package cli

import (
	"io"

	"github.com/spf13/cobra"

	"muster/internal/exchange"
)

func newCascadeExportCmd(env Env) *cobra.Command {
	var (
		f       registerFlags
		graphml bool
		out     string
		form    string
	)
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write a register as GraphML, or its tables in the other form",
		Long: `Write a register as GraphML to the output, for graph tools: the edges of one
requirement have its name in "group", and "need" of them must be up. Or write both
tables as YAML or CSV to a folder; nothing is lost between the two.`,
		Example: `  muster cascade export --services services.csv --requirements requirements.csv --graphml
  muster cascade export --services services.csv --requirements requirements.csv --tables yaml --out register`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case graphml == (form != ""):
				return usageError(cmd, cmd.CommandPath()+" needs --graphml or --tables")
			case form != "" && form != "yaml" && form != "csv":
				return usageError(cmd, "--tables cannot be "+form+"; allowed: yaml, csv")
			case form != "" && out == "":
				return usageError(cmd, "--tables needs --out")
			}
			register, _, err := f.read(cmd, env)
			if err != nil {
				return err
			}
			if graphml {
				return register.WriteGraphML(env.Out)
			}
			if err := checkOutput("--out", out); err != nil {
				return err
			}
			return exportTables(f, form, out)
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&graphml, "graphml", false, "write GraphML to the output")
	cmd.Flags().StringVar(&form, "tables", "", "yaml or csv: write both tables in that form")
	cmd.Flags().StringVar(&out, "out", "", "the folder for the tables")
	return cmd
}

func exportTables(f registerFlags, form, out string) error {
	var files []written
	for _, t := range []struct {
		table exchange.Table
		path  string
	}{{exchange.Services, f.services}, {exchange.Requirements, f.requirements}} {
		in, err := openTable(t.path)
		if err != nil {
			return err
		}
		rows, err := t.table.Rows(t.path, in)
		in.Close() // it was read only
		if err != nil {
			return err
		}
		write := t.table.WriteCSV
		if form == "yaml" {
			write = t.table.WriteYAML
		}
		files = append(files, written{string(t.table) + "." + form, func(w io.Writer) error { return write(w, rows) }})
	}
	return writeAll(out, files, nil)
}

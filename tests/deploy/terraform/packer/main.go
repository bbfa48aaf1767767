// Reads a Packer file by HashiCorp's own library: syntax, format, and what its source and its provisioner come to.
//
// Usage: packer FILE; prints {"source": {ATTRIBUTE: VALUE}, "provisioner": {ATTRIBUTE: VALUE}, "variables": [NAME]}. Each
// variable has its own name as its value.
package main

import (
	"bytes"
	"encoding/json"
	"log"
	"os"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

var timestamp = function.New(&function.Spec{
	Type: function.StaticReturnType(cty.String),
	Impl: func([]cty.Value, cty.Type) (cty.Value, error) { return cty.StringVal("2026-01-02T03:04:05Z"), nil },
})

func blocksOf(path string) hclsyntax.Blocks {
	text, err := os.ReadFile(path)
	check(err)
	if !bytes.Equal(hclwrite.Format(text), text) {
		log.Fatalf("%s: not in the format of packer fmt", path)
	}
	file, found := hclsyntax.ParseConfig(text, path, hcl.InitialPos)
	if found.HasErrors() {
		log.Fatal(found)
	}
	return file.Body.(*hclsyntax.Body).Blocks
}

func main() {
	names, variables := []string{}, map[string]cty.Value{}
	said := map[string]any{}
	root := cty.StringVal(filepath.Dir(os.Args[1]))
	context := &hcl.EvalContext{
		Functions: map[string]function.Function{"timestamp": timestamp, "formatdate": stdlib.FormatDateFunc,
			"jsonencode": stdlib.JSONEncodeFunc},
		Variables: map[string]cty.Value{"path": cty.ObjectVal(map[string]cty.Value{"root": root})},
	}
	blocks := blocksOf(os.Args[1])
	for _, block := range blocks {
		switch block.Type {
		case "variable":
			names = append(names, block.Labels[0])
			variables[block.Labels[0]] = cty.StringVal(block.Labels[0])
			context.Variables["var"] = cty.ObjectVal(variables)
		case "build":
			blocks = append(blocks, block.Body.Blocks...)
		}
	}
	for _, block := range blocks {
		if block.Type != "source" && block.Type != "provisioner" {
			continue
		}
		values := map[string]json.RawMessage{}
		for key, attribute := range block.Body.Attributes {
			value, found := attribute.Expr.Value(context)
			if found.HasErrors() {
				log.Fatal(found)
			}
			text, err := ctyjson.Marshal(value, value.Type())
			check(err)
			values[key] = text
		}
		said[block.Type] = values
	}
	said["variables"] = names
	check(json.NewEncoder(os.Stdout).Encode(said))
}

// Reads the Terraform files of a folder by HashiCorp's own library: syntax, format, and what the resources come to.
//
// Usage: terraform FOLDER FILE...; prints {"TYPE.NAME": {ATTRIBUTE: VALUE}}. Each field of a variable has its own name as
// its value.
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
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

var readFile = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "path", Type: cty.String}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(arguments []cty.Value, _ cty.Type) (cty.Value, error) {
		text, err := os.ReadFile(arguments[0].AsString())
		return cty.StringVal(string(text)), err
	},
})

func blocksOf(path string) hclsyntax.Blocks {
	text, err := os.ReadFile(path)
	check(err)
	if !bytes.Equal(hclwrite.Format(text), text) {
		log.Fatalf("%s: not in the format of terraform fmt", path)
	}
	file, found := hclsyntax.ParseConfig(text, path, hcl.InitialPos)
	if found.HasErrors() {
		log.Fatal(found)
	}
	return file.Body.(*hclsyntax.Body).Blocks
}

// An object of the variable's type, object({...}).
func sample(variable *hclsyntax.Block) cty.Value {
	call, found := hcl.ExprCall(variable.Body.Attributes["type"].Expr)
	if found.HasErrors() {
		log.Fatal(found)
	}
	fields, found := hcl.ExprMap(call.Arguments[0])
	if found.HasErrors() {
		log.Fatal(found)
	}
	values := map[string]cty.Value{}
	for _, field := range fields {
		name := hcl.ExprAsKeyword(field.Key)
		values[name] = cty.StringVal(name)
	}
	return cty.ObjectVal(values)
}

func evaluate(attribute *hclsyntax.Attribute, context *hcl.EvalContext) cty.Value {
	value, found := attribute.Expr.Value(context)
	if found.HasErrors() {
		log.Fatal(found)
	}
	return value
}

func main() {
	folder := os.Args[1]
	variables, locals := map[string]cty.Value{}, map[string]cty.Value{}
	resources := map[string]map[string]cty.Value{}
	var blocks hclsyntax.Blocks
	for _, name := range os.Args[2:] {
		blocks = append(blocks, blocksOf(filepath.Join(folder, name))...)
	}
	context := &hcl.EvalContext{
		Functions: map[string]function.Function{"file": readFile, "replace": stdlib.ReplaceFunc},
		Variables: map[string]cty.Value{"path": cty.ObjectVal(map[string]cty.Value{"module": cty.StringVal(folder)})},
	}
	// A resource that names another comes after it, and locals come before the resources of their file.
	for _, block := range blocks {
		switch block.Type {
		case "variable":
			variables[block.Labels[0]] = sample(block)
			context.Variables["var"] = cty.ObjectVal(variables)
		case "locals":
			for name, attribute := range block.Body.Attributes {
				locals[name] = evaluate(attribute, context)
			}
			context.Variables["local"] = cty.ObjectVal(locals)
		}
	}
	said := map[string]map[string]string{}
	for _, block := range blocks {
		if block.Type != "resource" {
			continue
		}
		kind, name := block.Labels[0], block.Labels[1]
		values, texts := map[string]cty.Value{"type": cty.StringVal("Custom")}, map[string]string{}
		for key, attribute := range block.Body.Attributes {
			if key != "provider" {
				values[key] = evaluate(attribute, context)
				texts[key] = values[key].AsString()
			}
		}
		if resources[kind] == nil {
			resources[kind] = map[string]cty.Value{}
		}
		resources[kind][name] = cty.ObjectVal(values)
		context.Variables[kind] = cty.ObjectVal(resources[kind])
		said[kind+"."+name] = texts
	}
	check(json.NewEncoder(os.Stdout).Encode(said))
}

package main

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// leaves are types with an encoding of their own, and their letters in the table.
var leaves = map[string]string{
	"io.k8s.apimachinery.pkg.apis.meta.v1.Time":       "t",
	"io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime":  "u",
	"io.k8s.apimachinery.pkg.apis.meta.v1.Duration":   "d",
	"io.k8s.apimachinery.pkg.api.resource.Quantity":   "q",
	"io.k8s.apimachinery.pkg.util.intstr.IntOrString": "n",
	"io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1":   "a",
	"io.k8s.apimachinery.pkg.runtime.RawExtension":    "a",
	apiextensions + "JSON":                            "a",
	apiextensions + "JSONSchemaPropsOrArray":          "a",
	apiextensions + "JSONSchemaPropsOrBool":           "a",
	apiextensions + "JSONSchemaPropsOrStringArray":    "a",
}

const apiextensions = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."

// structure is a type of the table.
type structure struct {
	goName string
	leaf   string
	text   string
	atomic bool
	fields []field
}

// field is a field as JSON sees it: those of inlined structs are here as well.
type field struct {
	json, shape, goType string
	number              int
	within              []int
	presence            byte
	required, wrapped   bool
	topology, patch     string
	byDefault           string
	enum                []string
	text                string
}

type walk struct {
	types   map[string]*structure
	sources map[string]*source
}

func newWalk() *walk {
	return &walk{map[string]*structure{}, map[string]*source{}}
}

func (w *walk) source(pkgPath string) *source {
	if w.sources[pkgPath] == nil {
		w.sources[pkgPath] = read(pkgPath)
	}
	return w.sources[pkgPath]
}

// definition is the name of a type in OpenAPI.
func definition(kind reflect.Type) string {
	if named, ok := reflect.Zero(kind).Interface().(interface{ OpenAPIModelName() string }); ok {
		return named.OpenAPIModelName()
	}
	path := strings.Split(kind.PkgPath(), "/")
	host := strings.Split(path[0], ".")
	slices.Reverse(host)
	return strings.Join(append(append(host, path[1:]...), kind.Name()), ".")
}

func (w *walk) structure(kind reflect.Type) {
	name := definition(kind)
	if w.types[name] != nil {
		return
	}
	from := w.source(kind.PkgPath())
	doc := from.types[kind.Name()]
	found := &structure{goName: kind.Name(), text: doc.text, leaf: leaves[name]}
	found.atomic = slices.Contains(doc.markers["structType"], "atomic") || slices.Contains(doc.markers["mapType"], "atomic")
	w.types[name] = found
	if found.leaf == "" {
		found.fields = w.fields(kind)
		slices.SortFunc(found.fields, func(a, b field) int { return strings.Compare(a.json, b.json) })
	}
}

func (w *walk) fields(kind reflect.Type) (found []field) {
	docs := w.source(kind.PkgPath()).fields[kind.Name()]
	for at := range kind.NumField() {
		member := kind.Field(at)
		tag, tagged := member.Tag.Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		if name == "-" || !member.IsExported() {
			continue
		}
		if member.Anonymous && name == "" {
			outer := protobufNumber(member)
			for _, inner := range w.fields(indirect(member.Type)) {
				if outer == 0 {
					// TypeMeta travels outside of the message.
					inner.number, inner.within = 0, nil
				} else {
					inner.within = append([]int{outer}, inner.within...)
				}
				found = append(found, inner)
			}
			continue
		}
		if !tagged || name == "" {
			name = member.Name
		}
		found = append(found, w.field(name, options, member, docs[member.Name]))
	}
	return found
}

func (w *walk) field(name, options string, member reflect.StructField, doc comment) field {
	omits := strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")
	_, optional := doc.markers["optional"]
	_, required := doc.markers["required"]
	shape := w.shape(member.Type)
	enum, words := w.enum(member.Type)
	text := doc.text
	if words != "" {
		text = strings.Trim(text+"\n\n"+words, "\n")
		if doc.open {
			text = doc.text + "\n\n\n" + words
		}
	}
	return field{
		json: name, shape: shape, goType: indirect(member.Type).String(), number: protobufNumber(member),
		presence: presence(member.Type, shape, options), required: required || !optional && !omits,
		wrapped: isWrapped(member.Type), topology: w.topology(member.Type, doc), patch: patch(member.Tag),
		byDefault: w.byDefault(member.Type, shape, omits, doc), enum: enum, text: text,
	}
}

func (w *walk) shape(kind reflect.Type) string {
	if kind.Kind() == reflect.Pointer {
		return w.shape(kind.Elem())
	}
	switch kind.Kind() {
	case reflect.String:
		return "s"
	case reflect.Bool:
		return "b"
	case reflect.Int32:
		return "i"
	case reflect.Int64, reflect.Int:
		return "l"
	case reflect.Float64:
		return "f"
	case reflect.Interface:
		return "a"
	case reflect.Slice:
		if kind.Elem().Kind() == reflect.Uint8 {
			return "y"
		}
		return "[" + w.shape(kind.Elem())
	case reflect.Map:
		return "{" + w.shape(kind.Elem())
	case reflect.Struct:
		w.structure(kind)
		if leaf := leaves[definition(kind)]; leaf != "" {
			return leaf
		}
		return "@" + definition(kind)
	}
	fail(fmt.Errorf("no shape for %s", kind))
	return ""
}

// presence says which zero values encoding/json leaves out: p pointer, o omitted, w written.
func presence(kind reflect.Type, shape, options string) byte {
	omitEmpty, omitZero := strings.Contains(options, "omitempty"), strings.Contains(options, "omitzero")
	switch {
	case kind.Kind() == reflect.Pointer || kind.Kind() == reflect.Interface:
		return 'p'
	case omitZero:
		return 'o'
	case kind.Kind() == reflect.Struct:
		return 'w'
	case omitEmpty:
		return 'o'
	}
	return 'w'
}

// isWrapped says whether a list is a protobuf message with `items`, as named lists with methods of their own are.
func isWrapped(kind reflect.Type) bool {
	kind = indirect(kind)
	for kind.Kind() == reflect.Map || kind.Kind() == reflect.Slice && kind.Name() == "" {
		kind = indirect(kind.Elem())
	}
	_, marshals := reflect.PointerTo(kind).MethodByName("MarshalTo")
	return kind.Kind() == reflect.Slice && marshals
}

func (w *walk) topology(kind reflect.Type, doc comment) string {
	markers := doc.markers
	if named := indirect(kind); named.Name() != "" && named.PkgPath() != "" && named.Kind() != reflect.Struct {
		for name, values := range w.source(named.PkgPath()).types[named.Name()].markers {
			if markers[name] == nil && (name == "listType" || name == "mapType") {
				markers[name] = values
			}
		}
	}
	for _, name := range []string{"listType", "mapType", "structType"} {
		for _, value := range markers[name] {
			switch value {
			case "atomic", "set", "granular":
				return value
			case "map":
				return "map:" + strings.Join(markers["listMapKey"], ",")
			}
		}
	}
	return ""
}

func patch(tag reflect.StructTag) string {
	strategy, key := tag.Get("patchStrategy"), tag.Get("patchMergeKey")
	if strategy == "" && key == "" {
		return ""
	}
	return strategy + ":" + key
}

// byDefault is the default that OpenAPI states: the marker's, or the zero value of what is always written.
func (w *walk) byDefault(kind reflect.Type, shape string, omits bool, doc comment) string {
	for _, value := range doc.markers["default"] {
		if strings.HasPrefix(value, "ref(") {
			return w.constant(indirect(kind), strings.TrimSuffix(strings.TrimPrefix(value, "ref("), ")"))
		}
		return value
	}
	if kind.Kind() == reflect.Pointer || omits {
		return ""
	}
	switch shape {
	case "s":
		return `""`
	case "i", "l", "f":
		return "0"
	case "b":
		return "false"
	}
	return ""
}

// constant is the value of a constant of this named type.
func (w *walk) constant(of reflect.Type, path string) string {
	name := path[strings.LastIndex(path, ".")+1:]
	for _, one := range w.source(of.PkgPath()).enums[of.Name()] {
		if one.name == name {
			return strconv.Quote(one.value)
		}
	}
	fail(fmt.Errorf("no constant %s of %s", path, of))
	return ""
}

// enum are the values of a named string, also of the items of a list or map; only its own have words.
func (w *walk) enum(kind reflect.Type) ([]string, string) {
	kind = indirect(kind)
	if kind.Name() == "" && (kind.Kind() == reflect.Slice || kind.Kind() == reflect.Map) {
		values, _ := w.enum(kind.Elem())
		return values, ""
	}
	if kind.Kind() != reflect.String || kind.PkgPath() == "" {
		return nil, ""
	}
	return w.source(kind.PkgPath()).enum(kind.Name())
}

func indirect(kind reflect.Type) reflect.Type {
	if kind.Kind() == reflect.Pointer {
		return kind.Elem()
	}
	return kind
}

func protobufNumber(member reflect.StructField) int {
	parts := strings.Split(member.Tag.Get("protobuf"), ",")
	if len(parts) < 2 {
		return 0
	}
	number, err := strconv.Atoi(parts[1])
	if err != nil {
		fail(fmt.Errorf("%s: %w", member.Name, err))
	}
	return number
}

//! What rustdoc's JSON says about a crate.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{Api, Call, Field, Integer};

/// Reads the items in rustdoc's JSON that are reachable from the crate's root.
pub fn parse(json: &Value) -> Result<Api> {
    let mut api = Api::default();
    let mut ids = vec![json["root"].clone()];
    let mut seen = BTreeSet::new();
    while let Some(id) = ids.pop() {
        if !seen.insert(id.to_string()) {
            continue;
        }
        let item = &json["index"][id.to_string().trim_matches('"')];
        let inner = &item["inner"];
        let name = item["name"].as_str().unwrap_or_default().to_owned();
        if let Some(module) = inner.get("module") {
            ids.extend(array(&module["items"]).cloned());
        } else if let Some(import) = inner.get("use") {
            ids.push(import["id"].clone());
        } else if let Some(constant) = inner.get("constant") {
            let value = constant["const"]["value"]
                .as_str()
                .or_else(|| constant["const"]["expr"].as_str())
                .unwrap_or_default();
            if let Some(value) = number(value) {
                api.constants.insert(name, value);
            }
        } else if let Some(function) = inner.get("function") {
            // Functions with names in capitals stand for macros with arguments.
            if name.chars().all(|c| !c.is_lowercase()) {
                api.macros.insert(name, Vec::new());
            } else {
                api.calls.insert(name, call(function, &item["attrs"])?);
            }
        } else if let Some(it) = inner.get("struct") {
            if !item["attrs"].to_string().contains("\"c\"") {
                bail!("{name} is not laid out as in C: {}", item["attrs"]);
            }
            let fields = array(&it["kind"]["plain"]["fields"])
                .map(|id| field(&json["index"][id.to_string()]))
                .collect::<Result<_>>()
                .with_context(|| name.clone())?;
            api.structs.insert(name, fields);
        } else if let Some(alias) = inner.get("type_alias") {
            if let Some(integer) = alias["type"]["primitive"].as_str().and_then(integer) {
                api.types.insert(name.clone(), integer);
            }
            api.aliases.insert(name, c_type(&alias["type"])?);
        }
    }
    for call in api.calls.values_mut() {
        for name in std::iter::once(&mut call.result).chain(&mut call.arguments) {
            let mut words = name.split(' ');
            if let Some(it) = words.find(|word| api.structs.contains_key(*word)) {
                *name = name.replace(it, &format!("struct {it}"));
            }
        }
    }
    Ok(api)
}

/// A field's name and type.
fn field(json: &Value) -> Result<(String, Field)> {
    let name = json["name"].as_str().unwrap_or_default().to_owned();
    let of = &json["inner"]["struct_field"];
    let it = match of["primitive"].as_str().and_then(integer) {
        Some(integer) => Field::Integer(integer),
        None => Field::Struct(c_type(of)?),
    };
    Ok((name, it))
}

/// Converts "4i32" and "{0xffff_ffff as *mut c_void}" to decimal numbers; pointers are signed.
fn number(value: &str) -> Option<String> {
    if let Some(pointer) = value.strip_prefix("{0x") {
        let digits = pointer.split(' ').next()?;
        let width = u32::try_from(digits.len() * 4).ok()?;
        let bits = i128::from_str_radix(digits, 16).ok()?;
        // An address with all bits set is C's (void *)-1.
        let minus = bits == (1 << width) - 1;
        return Some(if minus { "-1".into() } else { bits.to_string() });
    }
    let end = value.find(['i', 'u']).unwrap_or(value.len());
    let digits: String = value[..end].chars().filter(|&c| c != '_').collect();
    digits.parse::<i128>().ok().map(|number| number.to_string())
}

fn call(function: &Value, attributes: &Value) -> Result<Call> {
    let signature = &function["sig"];
    let mut arguments = array(&signature["inputs"])
        .map(|input| c_type(&input[1]))
        .collect::<Result<Vec<_>>>()?;
    if signature["is_c_variadic"] == true {
        arguments.push("...".to_owned());
    }
    let result = match &signature["output"] {
        Value::Null => "void".to_owned(),
        output => c_type(output)?,
    };
    Ok(Call {
        result,
        arguments,
        wrapper: function["has_body"] == true,
        link_name: array(attributes).find_map(|attribute| link_name(&attribute.to_string())),
    })
}

/// The name in `#[link_name = "..."]`, which rustdoc's JSON spells in its own way.
fn link_name(attribute: &str) -> Option<String> {
    let start = attribute
        .find("LinkName")
        .or_else(|| attribute.find("link_name"))?;
    let name = attribute[start..].split('"').nth(1)?;
    Some(name.trim_end_matches('\\').to_owned())
}

/// C's name for a type in a signature.
fn c_type(json: &Value) -> Result<String> {
    if let Some(pointer) = json.get("raw_pointer") {
        let to = c_type(&pointer["type"])?;
        let is_mutable = pointer["is_mutable"] == true;
        return Ok(if is_mutable {
            format!("{to} *")
        } else {
            format!("const {to} *")
        });
    }
    let path = &json["resolved_path"];
    let path = path["path"].as_str().or_else(|| path["name"].as_str());
    if let Some(path) = path {
        let name = path.rsplit("::").next().unwrap_or(path);
        return Ok(match name {
            "c_void" => "void",
            "c_char" => "char",
            "c_uchar" => "unsigned char",
            "c_int" => "int",
            "c_uint" => "unsigned int",
            "c_long" => "long",
            "c_ulong" => "unsigned long",
            other => other,
        }
        .to_owned());
    }
    let primitive = json["primitive"].as_str().and_then(integer);
    let Integer { bytes, signed } =
        primitive.with_context(|| format!("no C type is known for {json}"))?;
    Ok(match (bytes, signed) {
        (Some(bytes), true) => format!("int{}_t", bytes * 8),
        (Some(bytes), false) => format!("uint{}_t", bytes * 8),
        (None, true) => "ssize_t".to_owned(),
        (None, false) => "size_t".to_owned(),
    })
}

fn integer(primitive: &str) -> Option<Integer> {
    let signed = primitive.starts_with('i');
    let bytes = match primitive.get(1..)? {
        "8" => Some(1),
        "16" => Some(2),
        "32" => Some(4),
        "64" => Some(8),
        "size" => None,
        _ => return None,
    };
    Some(Integer { bytes, signed })
}

pub fn array(json: &Value) -> impl Iterator<Item = &Value> {
    json.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_read() {
        assert_eq!(number("4i32").as_deref(), Some("4"));
        assert_eq!(number("-1i32").as_deref(), Some("-1"));
        assert_eq!(number("4_294_967_295u32").as_deref(), Some("4294967295"));
        let failed = "{0xffffffff as *mut core::ffi::c_void}";
        assert_eq!(number(failed).as_deref(), Some("-1"));
        assert_eq!(number("{0x10 as *mut u8}").as_deref(), Some("16"));
        assert_eq!(number("_"), None);
    }

    #[test]
    fn signatures_become_c() {
        let function = json!({
            "sig": {
                "inputs": [
                    ["a", {"raw_pointer": {"is_mutable": false,
                        "type": {"resolved_path": {"path": "crate::c_void"}}}}],
                    ["b", {"resolved_path": {"path": "size_t"}}],
                    ["c", {"primitive": "u32"}]
                ],
                "output": {"resolved_path": {"path": "c_int"}},
                "is_c_variadic": true
            },
            "has_body": false
        });
        let call = call(&function, &json!([])).unwrap();
        assert_eq!(call.result, "int");
        assert_eq!(
            call.arguments,
            ["const void *", "size_t", "uint32_t", "..."]
        );
        assert!(!call.wrapper);
    }

    #[test]
    fn a_link_name_is_found() {
        let attribute = json!({"other": "#[attr = LinkName {name: \"mmap64\"}]"});
        assert_eq!(link_name(&attribute.to_string()).as_deref(), Some("mmap64"));
        assert_eq!(link_name("must_use"), None);
    }

    #[test]
    fn a_struct_is_read_as_c_lays_it_out() {
        let with = |attributes: Value| {
            parse(&json!({"root": 0, "index": {
                "0": {"name": "sys", "inner": {"module": {"items": [1, 4]}}},
                "1": {"name": "pair", "attrs": attributes,
                    "inner": {"struct": {"kind": {"plain": {"fields": [2, 3]}}}}},
                "2": {"name": "a", "inner": {"struct_field": {"primitive": "u64"}}},
                "3": {"name": "b", "inner": {"struct_field": {"resolved_path": {"path": "other"}}}},
                "4": {"name": "take", "attrs": [], "inner": {"function": {"sig": {"inputs": [
                    ["p", {"raw_pointer": {"is_mutable": false,
                        "type": {"resolved_path": {"path": "pair"}}}}]
                ], "output": null}}}}
            }}))
        };
        assert!(with(json!([])).is_err());
        let api = with(json!([{"repr": {"kind": "c"}}])).unwrap();
        let a = Integer {
            bytes: Some(8),
            signed: false,
        };
        let fields = [
            ("a".to_owned(), Field::Integer(a)),
            ("b".to_owned(), Field::Struct("other".to_owned())),
        ];
        assert_eq!(api.structs["pair"], fields);
        assert_eq!(api.calls["take"].arguments, ["const struct pair *"]);
    }

    #[test]
    fn only_what_can_be_reached_is_read() {
        let json = json!({"root": 0, "index": {
            "0": {"name": "sys", "inner": {"module": {"items": [1, 2]}}},
            "1": {"name": null, "inner": {"use": {"id": 3}}},
            "2": {"name": "off_t", "inner": {"type_alias": {"type": {"primitive": "i64"}}}},
            "3": {"name": "PROT_READ", "inner": {"constant": {"const": {"value": "1i32"}}}},
            "4": {"name": "SECRET", "inner": {"constant": {"const": {"value": "2i32"}}}}
        }});
        let api = parse(&json).unwrap();
        assert_eq!(api.constants.len(), 1);
        assert_eq!(api.constants["PROT_READ"], "1");
        let off_t = Integer {
            bytes: Some(8),
            signed: true,
        };
        assert_eq!(api.types["off_t"], off_t);
    }
}

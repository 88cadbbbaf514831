//! Where HTTP has each operation. Parts of a path in braces are fields of the request, and so is every name in a query;
//! the fields of `moment` stand there by themselves.

use crate::operation::Operation;

/// How a request and its answer are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `GET`: the request in path and query.
    Get,
    /// `GET`: the same, and the answer goes on, one JSON object a line.
    Lines,
    /// `POST`: the request as a JSON object.
    Post,
    /// `POST`: requests and answers, one JSON object a line each.
    Exchange,
    /// `PUT`: the same, and part of it in the path.
    Put,
}

/// One path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// What it does.
    pub operation: Operation,
    /// How.
    pub form: Form,
    /// The path.
    pub path: &'static str,
}

const fn route(operation: Operation, form: Form, path: &'static str) -> Route {
    Route { operation, form, path }
}

/// All of them.
pub const ROUTES: [Route; 20] = [
    route(Operation::Submit, Form::Post, "/v1/commands"),
    route(Operation::SubmitBatch, Form::Post, "/v1/commands/batch"),
    route(Operation::SubmitBatch, Form::Exchange, "/v1/commands/stream"),
    route(Operation::GetReceipt, Form::Get, "/v1/receipts/{id}"),
    route(Operation::Indicators, Form::Get, "/v1/indicators"),
    route(Operation::Explain, Form::Get, "/v1/explain"),
    route(Operation::Projects, Form::Get, "/v1/projects"),
    route(Operation::Project, Form::Get, "/v1/projects/{project}"),
    route(Operation::Suggest, Form::Get, "/v1/projects/{project}/suggestions"),
    route(Operation::Circulation, Form::Get, "/v1/circulation"),
    route(Operation::Disputes, Form::Get, "/v1/disputes"),
    route(Operation::Statements, Form::Get, "/v1/statements"),
    route(Operation::Vintages, Form::Get, "/v1/vintages"),
    route(Operation::Checkpoint, Form::Get, "/v1/checkpoint"),
    route(Operation::InclusionProof, Form::Get, "/v1/proofs/inclusion"),
    route(Operation::ConsistencyProof, Form::Get, "/v1/proofs/consistency"),
    route(Operation::ReadRecords, Form::Get, "/v1/records"),
    route(Operation::ReadRecords, Form::Lines, "/v1/records/stream"),
    route(Operation::GetCursor, Form::Get, "/v1/cursors/{name}"),
    route(Operation::SetCursor, Form::Put, "/v1/cursors/{name}"),
];

impl Route {
    /// The fields that stand in the path.
    pub fn in_path(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::describe::PROTO;

    #[test]
    fn every_operation_has_a_path_and_every_path_its_fields() {
        for operation in Operation::ALL {
            assert!(ROUTES.iter().any(|route| route.operation == operation), "{operation:?}");
            assert!(PROTO.methods.contains_key(operation.name()), "{operation:?}");
        }
        assert_eq!(PROTO.methods.len(), Operation::ALL.len());
        for route in ROUTES {
            let takes = PROTO.fields(&PROTO.methods[route.operation.name()].takes);
            for name in route.in_path() {
                assert!(takes.iter().any(|field| field.name == name), "{}", route.path);
            }
        }
    }
}

//! The operations of the services: one list for rights, routes and documents.

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "named and described in the proto files")]
pub enum Operation {
    Submit,
    SubmitBatch,
    GetReceipt,
    Indicators,
    Project,
    Projects,
    Circulation,
    Disputes,
    Statements,
    Vintages,
    Explain,
    Suggest,
    Checkpoint,
    InclusionProof,
    ConsistencyProof,
    ReadRecords,
    GetCursor,
    SetCursor,
}

impl Operation {
    /// All of them.
    pub const ALL: [Operation; 18] = [
        Operation::Submit,
        Operation::SubmitBatch,
        Operation::GetReceipt,
        Operation::Indicators,
        Operation::Project,
        Operation::Projects,
        Operation::Circulation,
        Operation::Disputes,
        Operation::Statements,
        Operation::Vintages,
        Operation::Explain,
        Operation::Suggest,
        Operation::Checkpoint,
        Operation::InclusionProof,
        Operation::ConsistencyProof,
        Operation::ReadRecords,
        Operation::GetCursor,
        Operation::SetCursor,
    ];

    /// Its name: the method of its service.
    pub const fn name(self) -> &'static str {
        match self {
            Operation::Submit => "Submit",
            Operation::SubmitBatch => "SubmitBatch",
            Operation::GetReceipt => "GetReceipt",
            Operation::Indicators => "Indicators",
            Operation::Project => "Project",
            Operation::Projects => "Projects",
            Operation::Circulation => "Circulation",
            Operation::Disputes => "Disputes",
            Operation::Statements => "Statements",
            Operation::Vintages => "Vintages",
            Operation::Explain => "Explain",
            Operation::Suggest => "Suggest",
            Operation::Checkpoint => "Checkpoint",
            Operation::InclusionProof => "InclusionProof",
            Operation::ConsistencyProof => "ConsistencyProof",
            Operation::ReadRecords => "ReadRecords",
            Operation::GetCursor => "GetCursor",
            Operation::SetCursor => "SetCursor",
        }
    }
}

//! The operator of the engine: numbers of shards in, their outcomes out.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray, UInt64Array};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type};
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::DataFusionError;
use datafusion::execution::context::TaskContext;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, SendableRecordBatchStream,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::bench::{Bench, Report};
use super::codec::{refusal, task_failure};
use crate::{Job, ShardOutcome};

/// Partitions of a table of shards at most: each is a task, and the scheduler keeps all of them in memory.
const MOST_TASKS: usize = 4096;

/// Labels the shards whose numbers are its input. It computes on executors alone, which have a bench.
#[derive(Debug)]
pub(super) struct LabelShards {
    pub(super) job: Arc<Job>,
    shards: Arc<dyn ExecutionPlan>,
    bench: Option<Bench>,
    /// Set when the task is cancelled.
    cancelled: Arc<AtomicBool>,
    properties: Arc<PlanProperties>,
}

/// The schema of outcomes: each is a JSON text.
fn outcome_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("outcome", DataType::Utf8, false)]))
}

impl LabelShards {
    pub(super) fn new(job: Arc<Job>, shards: Arc<dyn ExecutionPlan>, bench: Option<Bench>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(outcome_schema()),
            Partitioning::UnknownPartitioning(shards.properties().output_partitioning().partition_count()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { job, shards, bench, cancelled: Arc::default(), properties: Arc::new(properties) }
    }

    /// The plan that labels these shards. Those of a task lie side by side, so that its photos are read ahead from one to the
    /// next.
    pub(super) fn over(job: Arc<Job>, shards: &[usize]) -> Result<Self> {
        let schema = Arc::new(Schema::new(vec![Field::new("shard", DataType::UInt64, false)]));
        let tasks = shards.chunks(shards.len().div_ceil(MOST_TASKS).max(1)).map(|task| {
            let numbers: ArrayRef =
                Arc::new(UInt64Array::from_iter_values(task.iter().map(|&shard| shard as u64)));
            Ok(vec![RecordBatch::try_new(Arc::clone(&schema), vec![numbers])?])
        });
        let tasks = tasks.collect::<Result<Vec<_>>>()?;
        Ok(Self::new(job, MemorySourceConfig::try_new_exec(&tasks, schema, None)?, None))
    }

    /// What is set when the task is cancelled.
    pub(super) fn cancelled(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancelled)
    }
}

impl DisplayAs for LabelShards {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LabelShards: out={}", self.job.out)
    }
}

impl ExecutionPlan for LabelShards {
    fn name(&self) -> &str {
        "LabelShards"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.shards]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let shards: [_; 1] = children.try_into().map_err(|_| refusal("a table of shards is missing"))?;
        let [shards] = shards;
        let new = Self::new(Arc::clone(&self.job), shards, self.bench.clone());
        Ok(Arc::new(Self { cancelled: Arc::clone(&self.cancelled), ..new }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let Some(bench) = self.bench.clone() else {
            return Err(refusal("shards are labelled by executors alone"));
        };
        let shards = self.shards.execute(partition, context)?;
        let (job, cancelled) = (Arc::clone(&self.job), Arc::clone(&self.cancelled));
        let outcomes = async move {
            let batches: Vec<RecordBatch> = shards.try_collect().await?;
            let reports = bench.begin(job, numbers(&batches), cancelled);
            Ok::<_, DataFusionError>(stream::unfold(Some(reports), |reports| async move {
                let mut reports = reports?;
                match reports.recv().await {
                    Some(Report::Outcome(outcome)) => Some((batch_of(&outcome), Some(reports))),
                    Some(Report::End(Ok(()))) => None,
                    Some(Report::End(Err(error))) => Some((Err(task_failure(error)), None)),
                    None => Some((Err(refusal("the thread that labels has ended")), None)),
                }
            }))
        };
        let outcomes = stream::once(outcomes).try_flatten().boxed();
        Ok(Box::pin(RecordBatchStreamAdapter::new(outcome_schema(), outcomes)))
    }
}

/// The numbers in the table of shards.
fn numbers(batches: &[RecordBatch]) -> Vec<usize> {
    let columns = batches.iter().map(|batch| batch.column(0).as_primitive::<UInt64Type>());
    columns.flat_map(|column| column.values().iter().map(|&shard| shard as usize)).collect()
}

fn batch_of(outcome: &ShardOutcome) -> Result<RecordBatch> {
    let text = serde_json::to_string(outcome).map_err(|error| DataFusionError::External(Box::new(error)))?;
    Ok(RecordBatch::try_new(outcome_schema(), vec![Arc::new(StringArray::from(vec![text])) as ArrayRef])?)
}

/// The outcomes in a batch.
pub(super) fn outcomes_of(batch: &RecordBatch) -> Result<Vec<ShardOutcome>> {
    let texts = batch.column(0).as_string::<i32>().iter().flatten();
    texts
        .map(|text| serde_json::from_str(text).map_err(|error| DataFusionError::External(Box::new(error))))
        .collect()
}

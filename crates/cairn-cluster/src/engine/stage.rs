//! A task on an executor. Ballista drops what it is told to cancel, but not the threads and tasks that this has started: so what
//! is dropped tells the labelling to stop.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use ballista_core::JobId;
use ballista_core::serde::protobuf::{
    RuntimeStatsReport, ShuffleWritePartition, TaskColumnStats, WindowStateReport,
};
use ballista_executor::execution_engine::{DefaultExecutionEngine, ExecutionEngine, QueryStageExecutor};
use datafusion::common::Result;
use datafusion::execution::context::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::prelude::SessionConfig;

use super::codec::refusal;
use super::label_shards::LabelShards;

/// Runs tasks that label, and no others.
pub(super) struct LabelEngine(DefaultExecutionEngine);

impl LabelEngine {
    pub(super) fn new() -> Self {
        Self(DefaultExecutionEngine::new())
    }
}

impl ExecutionEngine for LabelEngine {
    fn create_query_stage_exec(
        &self,
        job: JobId,
        stage: usize,
        task: usize,
        partitions: Vec<usize>,
        plan: Arc<dyn ExecutionPlan>,
        work_dir: &str,
        config: &SessionConfig,
    ) -> Result<Arc<dyn QueryStageExecutor>> {
        let children = plan.children();
        let labelling = children.first().and_then(|child| child.downcast_ref::<LabelShards>());
        let cancelled = labelling.map(LabelShards::cancelled);
        let cancelled =
            cancelled.ok_or_else(|| refusal("executors of cairn label photos and do nothing else"))?;
        let stage = self.0.create_query_stage_exec(job, stage, task, partitions, plan, work_dir, config)?;
        Ok(Arc::new(LabelStage { stage, cancelled }))
    }
}

#[derive(Debug)]
struct LabelStage {
    stage: Arc<dyn QueryStageExecutor>,
    cancelled: Arc<AtomicBool>,
}

/// Sets it when it is dropped.
struct Cancel(Arc<AtomicBool>);

impl Drop for Cancel {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[async_trait]
impl QueryStageExecutor for LabelStage {
    async fn execute_query_stage(
        &self,
        task: usize,
        context: Arc<TaskContext>,
    ) -> Result<Vec<ShuffleWritePartition>> {
        // At its own end nothing is left to stop.
        let _cancel = Cancel(Arc::clone(&self.cancelled));
        self.stage.execute_query_stage(task, context).await
    }

    fn collect_plan_metrics(&self) -> Vec<MetricsSet> {
        self.stage.collect_plan_metrics()
    }

    fn collect_runtime_stats_reports(&self) -> Vec<RuntimeStatsReport> {
        self.stage.collect_runtime_stats_reports()
    }

    fn collect_window_state_reports(&self) -> Result<Vec<WindowStateReport>> {
        self.stage.collect_window_state_reports()
    }

    fn collect_column_stats(&self) -> Vec<TaskColumnStats> {
        self.stage.collect_column_stats()
    }
}

impl fmt::Display for LabelStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stage.fmt(f)
    }
}

//! Requests of services: the public traces' heads, rates, and every way a file can be broken.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use ballast_series::{TraceBlock, TraceColumn, TraceSink};
use ballast_tables::{
    ArrivalOptions, LoadedArrivals, ParquetSink, TableProblems, TimeUnit, read_arrivals,
};

fn read(text: &str, options: &ArrivalOptions) -> Result<LoadedArrivals, TableProblems> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("arrivals.csv");
    std::fs::write(&path, text).unwrap();
    read_arrivals(&path, options)
}

fn good(text: &str) -> LoadedArrivals {
    read(text, &ArrivalOptions::default()).unwrap_or_else(|problems| panic!("{problems}"))
}

fn refused(text: &str, options: &ArrivalOptions) -> String {
    read(text, options).unwrap_err().to_string()
}

#[test]
fn the_heads_of_public_traces_are_known() {
    let azure = good(
        "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:50.9951690,396,109\n",
    );
    assert_eq!(azure.time_s, [0.0, 4.314_579]);
    assert_eq!(azure.prompt_tokens, [Some(374.0), Some(396.0)]);
    assert_eq!(azure.output_tokens, [Some(44.0), Some(109.0)]);
    assert_eq!(azure.per_s, None);
    assert_eq!(azure.sha256.len(), 64);
    let burst = good(
        "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,472,18,490,Conversation log\n5,GPT-4,10,0,10,API log\n45,ChatGPT,,230,1317,Conversation log\n",
    );
    assert_eq!(burst.time_s, [0.0, 0.0, 40.0]);
    assert_eq!(burst.prompt_tokens, [Some(472.0), Some(10.0), None]);
    assert_eq!(burst.output_tokens, [Some(18.0), Some(0.0), Some(230.0)]);
    let words = burst.found.join("; ");
    assert!(
        words.contains("tokens of prompts in column `Request tokens`"),
        "{words}"
    );
    assert!(
        words.contains("1 numbers of tokens are below one"),
        "{words}"
    );
    assert!(words.contains("3 requests over 40.000 s"), "{words}");
}

#[test]
fn times_alone_and_rates() {
    let plain = good("arrival_ms\n1000\n1500\n1500\n");
    assert_eq!(plain.time_s, [0.0, 0.5, 0.5]);
    assert!(plain.prompt_tokens.is_empty() && plain.output_tokens.is_empty());
    let options = ArrivalOptions {
        time_unit: Some(TimeUnit::Ms),
        time_column: Some("when".into()),
        prompt_column: Some("in".into()),
        ..ArrivalOptions::default()
    };
    let stated = read("when;in;x\n0;1;a\n250;2;b\n", &options).unwrap();
    assert_eq!(stated.time_s, [0.0, 0.25]);
    assert_eq!(stated.prompt_tokens, [Some(1.0), Some(2.0)]);
    let rates = good("t_s,requests_per_s\n0,2\n3600,8.5\n3600,1\n");
    assert_eq!(rates.per_s, Some(vec![2.0, 8.5, 1.0]));
    assert_eq!(rates.time_s, [0.0, 3600.0, 3600.0]);
}

#[test]
fn every_problem_is_told_with_its_line() {
    let text = refused(
        "t_s,prompt_tokens,output_tokens\n0,1,1\n5,-3,1\n4,1,x\n6,1\n7,inf,1e9\n",
        &ArrivalOptions::default(),
    );
    for part in [
        "arrivals.csv:3: column `prompt_tokens`: -3 tokens",
        "arrivals.csv:4: column `t_s`: the request comes 1.000000 s before the one of line 3; sort the rows",
        "arrivals.csv:4: column `output_tokens`: `x` is not a number",
        "arrivals.csv:5: the row has 2 cells",
        "arrivals.csv:6: column `prompt_tokens`: `inf` is not a finite number",
        "arrivals.csv:6: column `output_tokens`: 1000000000 tokens",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let rate = refused("t_s,rate\n0,-1\n1,\n", &ArrivalOptions::default());
    assert!(
        rate.contains(":2: column `rate`: a rate of -1 requests per second"),
        "{rate}"
    );
    assert!(
        rate.contains(":3: column `rate`: the cell is empty"),
        "{rate}"
    );
}

#[test]
fn columns_that_cannot_be_are_told() {
    let named = |time: &str, prompt: &str| ArrivalOptions {
        time_column: Some(time.into()),
        prompt_column: Some(prompt.into()),
        ..ArrivalOptions::default()
    };
    let text = refused("t,prompt,rate\n0,1,1\n", &named("tt", "promt"));
    assert!(
        text.contains("column `promt`: is not in the table; did you mean `prompt`?"),
        "{text}"
    );
    assert!(text.contains("column `tt`: is not in the table"), "{text}");
    let twice = refused("t,prompt\n0,1\n", &named("t", "t"));
    assert!(
        twice.contains("column `t`: is named for two things"),
        "{twice}"
    );
    let two = refused("t,prompt,input\n0,1,1\n", &ArrivalOptions::default());
    assert!(
        two.contains(
            "2 columns could be tokens of prompts: `prompt`, `input`; set `prompt_column`"
        ),
        "{two}"
    );
    let both = ArrivalOptions {
        rate_column: Some("rate".into()),
        ..named("t", "prompt")
    };
    assert!(refused("t,prompt,rate\n0,1,1\n", &both).contains("points of a rate, or requests"));
    let unclear = refused("t,prompt,rate\n0,1,1\n1,1,1\n", &ArrivalOptions::default());
    assert!(
        unclear.contains(
            "requests with tokens (`prompt`) or points of a rate (`rate`); set `rate_column`"
        ),
        "{unclear}"
    );
    let back = refused("t,rate\n1,1\n0,1\n", &ArrivalOptions::default());
    assert!(back.contains("the row comes 1.000000 s before"), "{back}");
    assert!(
        refused("t,rate\n0,1\n", &ArrivalOptions::default()).contains("a single row is no course")
    );
    assert!(
        refused("t_s\n", &ArrivalOptions::default()).contains("there is no row below the header")
    );
    assert!(refused("", &ArrivalOptions::default()).contains("the file is empty"));
}

#[test]
fn parquet_is_read_like_csv() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("arrivals.parquet");
    let mut sink = ParquetSink::create(&path, &[]).unwrap();
    let values = [[3.0, 5.0, 7.5], [10.0, 0.0, 30.0]];
    let names = ["ContextTokens", "GeneratedTokens"];
    let columns = [0, 1].map(|i| TraceColumn {
        name: names[i],
        unit: "",
        values: &values[i],
    });
    sink.block(&TraceBlock {
        t0_s: 2.0,
        dt_s: 0.5,
        columns: &columns,
    })
    .unwrap();
    sink.finish().unwrap();
    let loaded = read_arrivals(&path, &ArrivalOptions::default()).unwrap();
    assert_eq!(loaded.time_s, [0.0, 0.5, 1.0]);
    assert_eq!(loaded.prompt_tokens, [Some(3.0), Some(5.0), Some(7.5)]);
    assert_eq!(loaded.output_tokens, [Some(10.0), Some(0.0), Some(30.0)]);
    // The same column as a rate: what is stated decides over what is found by its name.
    let options = ArrivalOptions {
        rate_column: Some("GeneratedTokens".into()),
        ..ArrivalOptions::default()
    };
    let rates = read_arrivals(&path, &options).unwrap();
    assert_eq!(rates.per_s, Some(vec![10.0, 0.0, 30.0]));
    assert!(rates.prompt_tokens.is_empty());
}

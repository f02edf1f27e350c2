"""Dataset: which pictures, and how many labels."""

import streamlit as st

from tl_core import datasets
from tl_core.spec import RunSpec
from tl_core.ui import forms, frame, previews, session, shown, steps
from tl_core.ui.charts import data
from tl_core.ui.recipe_bar import recipe_bar, require_allowed_paths

recipe = session.recipe()
frame.heading(steps.DATASET)
recipe_bar()
choice, evidence = st.columns([1, 2], gap="large")

with choice:
    usual = RunSpec().dataset.name
    for name, source in sorted(datasets.datasets.parts().items(), key=lambda entry: entry[0] != usual):
        chosen = name == recipe.dataset.name
        with st.container(border=True, key=f"source_{name}"):
            st.markdown(f"**{source.title}**")
            st.caption(source.summary())
            strip = previews.strip(name)
            if strip is not None:
                st.image(strip, width="stretch", alt=f"Sample images of {source.title}")
            if chosen:
                forms.part_form("dataset", recipe.dataset)
                forms.run_setting(RunSpec, "seed", recipe.seed)
            else:
                st.button(
                    "Choose",
                    key=f"choose_{name}",
                    on_click=session.change,
                    args=({"dataset": name},),
                    help=f"Use {source.title}.",
                )

labels, unfilled = forms.labels("dataset", recipe.dataset), forms.is_unfilled(recipe.dataset) and not recipe.dataset.fetches
with evidence, shown.sentence_for_mistakes(labels, unfilled=unfilled):
    require_allowed_paths(recipe)
    preview = previews.preview(recipe.dataset, recipe.seed)
    images = preview.images
    shown.chart(data.split_bar(images.train, images.validation, images.test), "split", "Images in each split")
    shown.chart(
        data.sample_grid(preview.samples, preview.class_names, previews.SAMPLE_SIZE), "samples", "Training images of each class"
    )
    by_split = {split: dict(zip(preview.class_names, counts, strict=True)) for split, counts in preview.counts.items()}
    shown.chart(data.class_balance(by_split), "balance", "Images of each class in each split")
    if preview.sizes:
        widths, heights = zip(*preview.sizes, strict=True)
        st.caption(f"Sample images are {min(widths)} to {max(widths)} pixels wide and {min(heights)} to {max(heights)} high.")
    st.caption(shown.plain(f"Images come from {recipe.dataset.location()}."))
    for note in preview.notes:
        st.info(shown.plain(note), icon=":material/rule:")

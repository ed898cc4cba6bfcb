"""The pages: the only package that imports Streamlit, beside app.py and pages/."""
